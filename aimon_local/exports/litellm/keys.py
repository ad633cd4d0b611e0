"""LiteLLM's virtual keys (the answer of its ``/key/list``): consumers, and a tier per set of limits. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.exports.gaps import Gap

MASTER = "litellm-master"
"""The consumer of the master key, see ``defaults``; no virtual key takes its name."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_592_000}
_DURATION = re.compile(r"(\d+)(mo|s|m|h|d|w)\Z")
_PERIODS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day", 604_800: "week", 2_592_000: "month"}
_NAME = re.compile(r"[^A-Za-z0-9._~-]+")
_ALL = ("all-proxy-models", "all-team-models", "*")
LIMITS = ("max_budget", "budget_duration", "rpm_limit", "tpm_limit", "max_parallel_requests", "models")
"""What a tier takes of a key, or of what keys get by default."""
_OTHER = {
    "team_id": ("a team's shared budget does not count here", "give its members the tier that each may have"),
    "model_max_budget": ("there is no budget per model", "make a tier with these models and its own budget"),
    "soft_budget": ("an alert is a share of a limit", "set alert_percent in [gateway]"),
    "aliases": ("a model's name is not rewritten here", "clients ask for the model itself"),
    "expires": ("the key is made anew", "give its end with it: aimon-local key expire"),
}

Row = dict[str, Any]


@dataclass(slots=True)
class Holders:
    """What keys become."""

    consumers: list[Row] = field(default_factory=list)
    tiers: list[Row] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    master_key: str | None = None  # a secret: it goes into no document and no line


def read_keys(rows: Sequence[Any], names: Mapping[str, str]) -> Holders:
    """``names``: what clients ask for there → the model that it is here."""
    out, taken = Holders(), {MASTER}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            out.gaps.append(Gap(f"keys[{number}]", "entry", "only a hash is listed", "ask for return_full_object=true"))
            continue
        name = _name(row, number, taken)
        if row.get("blocked"):
            out.gaps.append(Gap(f"key {name}", "blocked", "it is blocked there", "it is left out"))
            continue
        tier = made_tier(out, row, f"key {name}", names)
        out.consumers.append({"username": name, "groups": [{"name": tier}]})
        for key, (why, instead) in _OTHER.items():
            if row.get(key):
                out.gaps.append(Gap(f"key {name}", key, why, instead))
    if out.consumers:
        why = "LiteLLM keeps only their hashes"
        out.gaps.append(Gap("keys", "values", why, "give each consumer a new one: aimon-local key create NAME"))
        out.gaps.append(
            Gap("keys", "spend", "what was spent there is not known to this ledger", "budgets begin at nothing")
        )
    return out


def _name(row: Mapping[str, Any], number: int, taken: set[str]) -> str:
    said = row.get("key_alias") or row.get("user_id") or row.get("key_name") or f"key-{number + 1}"
    name = base = _NAME.sub("-", str(said)).strip("-") or f"key-{number + 1}"
    more = 1
    while name in taken:
        more += 1
        name = f"{base}-{more}"
    taken.add(name)
    return name


def made_tier(
    out: Holders, row: Mapping[str, Any], where: str, names: Mapping[str, str], name: str | None = None
) -> str:
    """The tier that has just these limits, made where there is none; one with a ``name`` is always made."""
    made: Row = {"limits": _limits(out, row, where)}
    parallel = _number(row, "max_parallel_requests", where)
    if parallel:
        made["concurrency"] = int(parallel)
    elif parallel == 0:  # none at once is none at all
        made["limits"].append({"unit": "requests", "amount": 0, "period": "minute"})
    models = [names.get(str(each), str(each)) for each in row.get("models") or ()]
    if models and not any(each in _ALL for each in models):
        made["models"] = sorted(set(models))
    same = next((each for each in out.tiers if {**each, "name": None} == {**made, "name": None}), None)
    if same is None or name is not None:
        same = {"name": name or f"litellm-{len(out.tiers) + 1}", **made}
        out.tiers.append(same)
    return str(same["name"])


def _limits(out: Holders, row: Mapping[str, Any], where: str) -> list[Row]:
    limits = []
    for key, unit in (("rpm_limit", "requests"), ("tpm_limit", "tokens")):
        amount = _number(row, key, where)
        if amount is not None:
            limits.append({"unit": unit, "amount": int(amount), "period": "minute"})
    budget = _number(row, "max_budget", where)
    if budget is None:
        return limits
    period = _period(row.get("budget_duration"))
    if period is None:
        lasts = row.get("budget_duration") or "for ever"
        why = f"a budget that lasts {lasts} has no window here"
        out.gaps.append(Gap(where, "budget_duration", why, "it holds per calendar month"))
    elif period in ("month", "week", "day"):
        why = "windows here begin by the calendar, there with the key"
        out.gaps.append(Gap(where, "budget_duration", why, f"it holds per {period}, in the tier's zone"))
    limits.append({"unit": "cost", "amount": budget, "period": period or "month"})
    return limits


def _number(row: Mapping[str, Any], key: str, where: str) -> float | None:
    """A number from 0 up; None: no limit. Raises ConfigError for what is none: a limit is never lost in silence."""
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise ConfigError(f"{where}: {key} is {value!r}", "give a number from 0 up, or null")
    return float(value)


def _period(duration: Any) -> str | None:
    found = _DURATION.match(str(duration or ""))
    return None if found is None else _PERIODS.get(int(found[1]) * _SECONDS[found[2]])
