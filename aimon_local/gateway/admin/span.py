"""The arguments that views of the ledger share: whose rows, and of which time. A fault names its argument.

A consumer is named by id, username or custom_id. One that was deleted is named by what its rows hold. To add an
argument that several views take: a function here that gives its value, or the ``Reply`` that refuses it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.gateway.admin.ask import Ask, Reply, message
from aimon_local.model.moment import FORMS, moment, rfc3339

_LEDGER_MOST = 1 << 62  # a row's number in the ledger is smaller


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose rows. ``of``: an id, or a name that no consumer has now; None: all rows. ``row``: the consumer's entity."""

    of: str | None = None
    row: Mapping[str, Any] | None = None

    def shown(self) -> Mapping[str, Any] | None:
        """The consumer as an answer names it; None: all, or one that is gone."""
        return None if self.row is None else {"id": self.row["id"], "username": self.row["username"]}


@dataclass(frozen=True, slots=True)
class Span:
    """since ≤ time < until, nanoseconds; None: open."""

    since: int | None = None
    until: int | None = None

    def shown(self) -> Mapping[str, str]:
        """The ends that are given, as an answer names them."""
        ends = (("since", self.since), ("until", self.until))
        return {name: rfc3339(at) for name, at in ends if at is not None}


def whose(ask: Ask) -> Whose | Reply:
    """The ``consumer`` argument. Whether a name that no consumer has is known to the ledger is not looked up here."""
    name = ask.query.first("consumer")
    if name is None:
        return Whose()
    if not name:
        return message(400, "consumer must be an unempty string")
    row = consumer(ask, name)
    return Whose(name, None) if row is None else Whose(row["id"], row)


def consumer(ask: Ask, name: str) -> Mapping[str, Any] | None:
    """The consumer of an id, a username or a custom_id."""
    catalog = ask.context.catalog
    return (
        catalog.select("consumers", name)
        or catalog.select_by("consumers", "username", name)
        or catalog.select_by("consumers", "custom_id", name)
    )


def span(ask: Ask) -> Span | Reply:
    """The ``since`` and ``until`` arguments."""
    ends: list[int | None] = []
    now = ask.context.now()
    for name in ("since", "until"):
        text = ask.query.first(name)
        at = None if text is None else moment(text, now)
        if text is not None and at is None:
            return message(400, f"{name} must be {FORMS}, not {text!r}")
        ends.append(at)
    since, until = ends
    if since is not None and until is not None and since > until:
        return message(400, f"since ({rfc3339(since)}) must not be later than until ({rfc3339(until)})")
    return Span(since, until)


def choice(ask: Ask, name: str, words: Collection[str]) -> str | Reply | None:
    """An argument that is one of some words; None where it is not given."""
    text = ask.query.first(name)
    if text is None or text in words:
        return text
    return message(400, f"{name} must be one of {', '.join(words)}, not {text!r}")


def number(ask: Ask, name: str) -> int | Reply | None:
    """An argument that is a number from 0 up, of an event or of a row; None where it is not given."""
    return whole(name, ask.query.first(name))


def whole(name: str, text: str | None) -> int | Reply | None:
    """The same of a text from elsewhere, such as a field of the head."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < _LEDGER_MOST:
        return int(text)
    return message(400, f"{name} must be a whole number from 0 up, not {text!r}")
