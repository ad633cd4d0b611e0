"""A LiteLLM proxy's ``config.yaml``, and its keys, as a document for ``POST /config``, with what of it is lost. Pure.

Keys of a LiteLLM with a database stand in no file: ``keys`` is the answer of its ``/key/list?return_full_object=true``.
To say more of a setting that is lost: a line in ``_SETTINGS``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.exports.gaps import Gap
from aimon_local.exports.litellm.defaults import read_defaults, told
from aimon_local.exports.litellm.keys import read_keys
from aimon_local.exports.litellm.models import read_models

_SECTIONS = ("litellm_settings", "router_settings", "general_settings", "environment_variables")
_LOGS = "file-log, http-log and prometheus plugins, or aimon-local export usage"
_SETTINGS = {
    "database_url": ("everything is kept in one SQLite file", "nothing: see --data"),
    "store_model_in_db": ("everything is kept in one SQLite file", "models of the database are in no file: add them"),
    "default_fallbacks": ("a call does not go on to another model", "targets of one upstream take over for each other"),
    "content_policy_fallbacks": ("a call does not go on to another model", "clients ask again, for another one"),
    "fallbacks": ("a call does not go on to another model", "targets of one upstream take over for each other"),
    "context_window_fallbacks": ("a call does not go on to another model", "max_prompt_tokens on a tier refuses it"),
    "routing_strategy": ("a model is not routed by its name", "weights of an upstream's targets"),
    "model_group_alias": ("a model's name is not rewritten here", "clients ask for the model itself"),
    "guardrails": ("what is said in a call is not judged", "behaviour guards of tiers judge how agents call"),
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

_UNKNOWN = ("this gateway has no such setting", "it is left out")
_VARIABLE = ("a file sets no variables here", "it is used where the file itself names it")


@dataclass(slots=True)
class Imported:
    """A document for ``POST /config``, and what of the original it lacks."""

    document: dict[str, Any]
    gaps: list[Gap] = field(default_factory=list)
    master_key: str | None = None  # of the consumer ``defaults.MASTER``; a secret, so it is in no document


def read(config: Any, keys: Any, variables: Mapping[str, str], priced: Sequence[str]) -> Imported:
    """Raises ConfigError for what is no such file. ``keys``: None, or what ``/key/list`` answered; ``priced``: models,
    or patterns, that the price book knows already.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("model_list"), list):
        raise ConfigError("this is no configuration of LiteLLM's proxy", "its config.yaml has a model_list")
    settings = {name: each for name, each in config.items() if isinstance(each, Mapping)}
    variables = {**variables, **_texts(settings.get("environment_variables", {}))}  # as LiteLLM has it: the file wins
    models = read_models(config["model_list"], variables, priced)
    holders = read_keys(_keys(keys), models.names)
    read_defaults(holders, settings, models.names, variables)
    document = {
        "_format_version": "3.0",
        "services": models.services,
        "consumers": holders.consumers,
        "consumer_groups": [{"name": each["name"]} for each in holders.tiers],
        "tiers": holders.tiers,
        "model_prices": models.prices,
    }
    gaps = sorted({*models.gaps, *holders.gaps, *_settings(config, told(settings))})
    return Imported(document, gaps, holders.master_key)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): value for name, value in values.items() if isinstance(value, str)}


def _keys(keys: Any) -> Sequence[Any]:
    if keys is None:
        return ()
    rows = keys.get("keys") if isinstance(keys, Mapping) else keys
    if not isinstance(rows, list):
        raise ConfigError("this is no list of LiteLLM's keys", "save the answer of /key/list?return_full_object=true")
    return rows


def _settings(config: Mapping[str, Any], told_already: set[tuple[str, str]]) -> Iterator[Gap]:
    for section, values in config.items():
        if section == "model_list":
            continue
        if section not in _SECTIONS or not isinstance(values, Mapping):
            why, instead = _SETTINGS.get(str(section), ("this gateway has no such section", "it is left out"))
            yield Gap(section, section, why, instead)
            continue
        for name in values:
            if (section, str(name)) in told_already:
                continue
            why, instead = _SETTINGS.get(str(name), _VARIABLE if section == _SECTIONS[-1] else _UNKNOWN)
            yield Gap(section, str(name), why, instead)
