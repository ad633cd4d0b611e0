"""A LiteLLM proxy's ``config.yaml``, and its keys, as a document for ``POST /config``, with what of it is lost. Pure.

Keys of a LiteLLM with a database stand in no file: ``keys`` is the answer of its ``/key/list?return_full_object=true``.
To say more of a setting that is lost: a line in ``_SETTINGS``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.exports.gaps import Gap
from aimon_local.exports.litellm.keys import read_keys
from aimon_local.exports.litellm.models import read_models

_SECTIONS = ("litellm_settings", "router_settings", "general_settings", "environment_variables")
_LOGS = "file-log, http-log and prometheus plugins, or aimon-local export usage"
_SETTINGS = {
    "master_key": (
        "the Admin API listens on this machine alone",
        "admin_token in [gateway], where more are to reach it",
    ),
    "database_url": ("everything is kept in one SQLite file", "nothing: see --data"),
    "store_model_in_db": ("everything is kept in one SQLite file", "models of the database are in no file: add them"),
    "max_budget": ("there is no budget of all consumers together", "give each tier a limit of cost"),
    "budget_duration": ("there is no budget of all consumers together", "give each tier a limit of cost"),
    "fallbacks": ("a call does not go on to another model", "targets of one upstream take over for each other"),
    "context_window_fallbacks": ("a call does not go on to another model", "max_prompt_tokens on a tier refuses it"),
    "routing_strategy": ("a model is not routed by its name", "weights of an upstream's targets"),
    "model_group_alias": ("a model's name is not rewritten here", "clients ask for the model itself"),
    "cache": ("AI answers are not cached", "the proxy-cache plugin, for what may be"),
    "callbacks": ("there are no Python callbacks", _LOGS),
    "success_callback": ("there are no Python callbacks", _LOGS),
    "failure_callback": ("there are no Python callbacks", _LOGS),
    "alerting": ("alerts go to one webhook", "alert_webhook in [gateway]"),
    "max_parallel_requests": ("it is set per tier", "concurrency on a tier"),
    "global_max_parallel_requests": ("it is set per service", "upstream_concurrency in [gateway]"),
    "redis_host": ("one process counts, in memory and on disk", "nothing"),
    "num_retries": ("retries are a service's", "aimon-local service, retries"),
    "request_timeout": ("it is set per service and tier", "read_timeout on a service, total_s on a tier"),
}


@dataclass(slots=True)
class Imported:
    """A document for ``POST /config``, and what of the original it lacks."""

    document: dict[str, Any]
    gaps: list[Gap] = field(default_factory=list)


def read(config: Any, keys: Any, variables: Mapping[str, str], priced: Sequence[str]) -> Imported:
    """Raises ConfigError for what is no such file. ``keys``: None, or what ``/key/list`` answered; ``priced``: models,
    or patterns, that the price book knows already.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("model_list"), list):
        raise ConfigError("this is no configuration of LiteLLM's proxy", "its config.yaml has a model_list")
    models = read_models(config["model_list"], variables, priced)
    holders = read_keys(_keys(keys), models.names)
    document = {
        "_format_version": "3.0",
        "services": models.services,
        "consumers": holders.consumers,
        "consumer_groups": [{"name": each["name"]} for each in holders.tiers],
        "tiers": holders.tiers,
        "model_prices": models.prices,
    }
    return Imported(document, sorted({*models.gaps, *holders.gaps, *_settings(config)}))


def _keys(keys: Any) -> Sequence[Any]:
    if keys is None:
        return ()
    rows = keys.get("keys") if isinstance(keys, Mapping) else keys
    if not isinstance(rows, list):
        raise ConfigError("this is no list of LiteLLM's keys", "save the answer of /key/list?return_full_object=true")
    return rows


def _settings(config: Mapping[str, Any]) -> Iterator[Gap]:
    for section, values in config.items():
        if section == "model_list":
            continue
        if section not in _SECTIONS or not isinstance(values, Mapping):
            yield Gap(section, section, "this gateway has no such section", "it is left out")
            continue
        for name in values:
            why, instead = _SETTINGS.get(str(name), ("this gateway has no such setting", "it is left out"))
            yield Gap(section, str(name), why, instead)
