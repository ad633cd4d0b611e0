"""What a LiteLLM configuration says of everybody: the master key, the proxy's own budget, defaults of new keys. Pure.

The master key becomes a consumer, so that clients which use it go on as before. Where no virtual keys are given, all
calls are that consumer's, and the budget of the whole proxy is the budget of its tier. Defaults for keys and users that
are still to be made become tiers to assign.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aimon_local.exports.gaps import Gap
from aimon_local.exports.litellm.keys import LIMITS, MASTER, Holders, made_tier
from aimon_local.exports.litellm.models import ENVIRON, text

_DEFAULTS = {
    "default_key_generate_params": "litellm-default-key",
    "default_internal_user_params": "litellm-default-user",
}
_BUDGET = ("max_budget", "budget_duration")
Settings = Mapping[str, Mapping[str, Any]]


def read_defaults(out: Holders, settings: Settings, names: Mapping[str, str], variables: Mapping[str, str]) -> None:
    """Add to ``out`` what ``settings`` (sections that are mappings) say; ``names`` as in ``keys.read_keys``."""
    alone = not out.consumers
    litellm, general = settings.get("litellm_settings", {}), settings.get("general_settings", {})
    budget = {key: litellm[key] for key in _BUDGET if litellm.get(key) is not None}
    if general.get("master_key") is not None:
        tier = made_tier(out, budget if alone else {}, "general_settings", names, MASTER)
        out.consumers.append({"username": MASTER, "groups": [{"name": tier}]})
        out.master_key = text(general["master_key"], variables)
    out.gaps += [*_master(general, out.master_key, variables), *_budget(budget, alone, general)]
    for section, name in _DEFAULTS.items():
        given = litellm.get(section)
        if isinstance(given, Mapping) and any(given.get(key) is not None for key in LIMITS):
            made_tier(out, given, section, names, name)
            out.gaps += [*_other(section, given, name)]


def told(settings: Settings) -> set[tuple[str, str]]:
    """Settings of which all is said here: (section, name)."""
    found = {("general_settings", "master_key"), *(("litellm_settings", key) for key in _BUDGET)}
    litellm = settings.get("litellm_settings", {})
    for section in _DEFAULTS:
        given = litellm.get(section)
        if isinstance(given, Mapping) and any(given.get(key) is not None for key in LIMITS):
            found.add(("litellm_settings", section))
    return found


def _master(general: Mapping[str, Any], key: str | None, variables: Mapping[str, str]) -> Iterator[Gap]:
    section = "general_settings"
    if general.get("master_key") is None:
        why = "without one LiteLLM lets everybody in; here each service asks for a key"
        yield Gap(section, "master_key", why, "give each client a consumer and a key: aimon-local key create")
        return
    why = "it opens models, not the Admin API, which listens on this machine alone"
    yield Gap(section, "master_key", why, "admin_token in [gateway], where others are to reach it")
    if not key:
        name = str(general["master_key"]).removeprefix(ENVIRON)
        instead = f"set it and import again, or make a new key: aimon-local key create {MASTER}"
        yield Gap(section, "master_key", f"the variable {name} is not set here", instead)


def _budget(budget: Mapping[str, Any], alone: bool, general: Mapping[str, Any]) -> Iterator[Gap]:
    if alone and general.get("master_key") is not None:
        return  # it is the master's own
    for key in budget:
        why = "there is no budget of all consumers together"
        yield Gap("litellm_settings", key, why, "give each tier a limit of cost")


def _other(section: str, given: Mapping[str, Any], tier: str) -> Iterator[Gap]:
    why = "a new consumer gets no tier by itself"
    yield Gap(section, "defaults", why, f"aimon-local tier assign CONSUMER {tier}")
    for key in given:
        if key not in LIMITS:
            yield Gap(section, str(key), "this gateway has no such setting", "it is left out")
