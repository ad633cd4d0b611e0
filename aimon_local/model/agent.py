"""Agents: consumers that act for an owner, what they may, and how far one run of theirs may go. Nouns alone.

``scope_within`` is the law that no token can be wider than its agent: a pattern lies within others where each name that
it matches is matched by them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aimon_local.model.money import usd

LISTS = ("routes", "methods", "models", "tools")
"""The scopes that are patterns (``*`` and ``?``); what none of them matches is refused."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What an agent may; an empty list allows nothing."""

    routes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    max_output_tokens: int | None = None  # None: as its tier says

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Scopes":
        """From a stored record, or a token's claim."""
        lists = {name: tuple(row.get(name) or ()) for name in LISTS}
        return cls(**lists, max_output_tokens=row.get("max_output_tokens"))

    def facts(self) -> dict[str, Any]:
        """As a record."""
        lists = {name: list(getattr(self, name)) for name in LISTS}
        most = {} if self.max_output_tokens is None else {"max_output_tokens": self.max_output_tokens}
        return {**lists, **most}


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How far one run may go. None: not limited."""

    requests: int | None = None
    tokens: int | None = None
    cost: int | None = None  # nano-dollars
    seconds: float | None = None  # from its first call
    depth: int | None = 8  # of calls that start calls; the first is at 0
    fanout: int | None = 16  # calls that one call may start
    idle_s: float = 60  # silence that ends a run that has no name

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "RunLimits":
        """From a stored record, money in dollars; what is left open has the default."""
        known = {name: row[name] for name in _LIMITS if row.get(name) is not None}
        if "cost" in known:
            known["cost"] = usd(known["cost"], "cost")
        return cls(**known)


_LIMITS = ("requests", "tokens", "cost", "seconds", "depth", "fanout", "idle_s")


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent, as requests know it."""

    id: str
    name: str
    consumer_id: str
    owner_id: str
    owner: str  # the owner's name; its id, where it is gone
    enabled: bool = True
    scopes: Scopes = Scopes()
    limits: RunLimits = field(default_factory=RunLimits)
    tokens_since: float = 0  # Unix seconds: tokens minted before are void
    revoked: frozenset[str] = frozenset()  # ids of tokens


def scope_within(inner: Scopes, outer: Scopes) -> str | None:
    """None where all that ``inner`` allows is allowed by ``outer``; else what is not."""
    for name in LISTS:
        for pattern in getattr(inner, name):
            if not pattern_within(pattern, getattr(outer, name)):
                allowed = ", ".join(getattr(outer, name)) or "nothing"
                return f"{name}: {pattern!r} is not within what the agent may: {allowed}"
    wish, most = inner.max_output_tokens, outer.max_output_tokens
    if most is not None and (wish is None or wish > most):
        return f"max_output_tokens: the agent may ask for {most}"
    return None


def pattern_within(pattern: str, others: Iterable[str]) -> bool:
    """Whether one of the others matches all that a pattern matches; in doubt it does not."""
    return any(_within(pattern, other) for other in others)


def _within(pattern: str, other: str) -> bool:
    if other in (pattern, "*"):
        return True
    if not any(mark in pattern for mark in "*?["):
        return fnmatchcase(pattern, other)
    # With "*" alone in it, the other one matches a pattern's text only where its literal parts stand in that text too.
    return "[" not in pattern and not any(mark in other for mark in "?[") and fnmatchcase(pattern, other)
