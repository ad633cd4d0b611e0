"""``GET /usage`` and ``/usage/timeseries``: what was used, from the stored rows. Our own, beside Kong's API.

Sums are those of ``storage.queries``; here they get the names of what they belong to. A new grouping is a line in
``_NAMES`` (and one in ``storage.queries``).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import fields
from http import HTTPStatus
from typing import Any, cast

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.admin.span import Span, Whose, choice, consumer, span, whose
from aimon_local.model.moment import SECOND, rfc3339
from aimon_local.storage.queries import By, UsageTotals

Name = tuple[str | int | None, str | None]  # (id, name); None: there is none, or not any more

_STEPS = {"hour": 3600, "day": 86_400}  # seconds
_POINTS = {"hour": 24, "day": 30}  # of a series whose beginning is not given
MOST_POINTS = 10_000


async def show(ask: Ask) -> Reply:
    """Totals of ``consumer``, or of all, in a span; with ``by`` apart by that. A deleted consumer's rows stay."""
    who, when, by = whose(ask), span(ask), choice(ask, "by", tuple(_NAMES))
    if isinstance(who, Reply):
        return who
    if isinstance(when, Reply):
        return when
    if isinstance(by, Reply):
        return by
    ledger = ask.context.ledger
    totals = await ledger.usage_totals(who.of, when.since, when.until)
    if not totals.statuses and await _is_nobody(ask, who):
        return _nobody(who)
    out: dict[str, Any] = {"consumer": who.shown(), **when.shown(), "totals": plain(totals)}
    if who.of is not None and ask.context.refusals is not None:
        from aimon_local.policy.manners import manners  # noqa: PLC0415 (a start needs none of it)

        refused = await asyncio.to_thread(ask.context.refusals, who.of, when.since, when.until)
        out["manners"] = manners(refused).facts()
    if by is not None:
        found = await ledger.usage_totals_by(cast(By, by), who.of, when.since, when.until)
        out |= {"by": by, "groups": _groups(ask, by, found)}
    return json_reply(200, out)


async def timeseries(ask: Ask) -> Reply:
    """Totals step by step: whole hours or days of UTC, those without requests too, with zeros."""
    who, when, step = whose(ask), span(ask), choice(ask, "step", tuple(_STEPS))
    if isinstance(who, Reply):
        return who
    if isinstance(when, Reply):
        return when
    if isinstance(step, Reply):
        return step
    step = step or "hour"
    starts = steps(when, step, ask.context.now())
    if len(starts) > MOST_POINTS:
        return message(400, f"since is too early: at most {MOST_POINTS} steps are given at once")
    bounds = Span(starts.start * SECOND, starts.stop * SECOND)
    found = await ask.context.ledger.usage_totals_by(cast(By, step), who.of, bounds.since, bounds.until)
    if not found and await _is_nobody(ask, who):
        return _nobody(who)
    points = [
        {"start": start, "at": rfc3339(start * SECOND), "totals": plain(totals)}
        for start, totals in filled(starts, found)
    ]
    return json_reply(200, {"consumer": who.shown(), "step": step, **bounds.shown(), "points": points})


def steps(when: Span, step: str, now_ns: int) -> range:
    """The starts of the steps that a span touches, Unix seconds; an open end is now, an open beginning a day or 30."""
    size = _STEPS[step]
    end = -(-(now_ns + 1 if when.until is None else when.until) // (size * SECOND)) * size
    first = end - _POINTS[step] * size if when.since is None else when.since // (size * SECOND) * size
    return range(max(0, first), end, size)


def filled(starts: range, found: Mapping[str | int, UsageTotals]) -> list[tuple[int, UsageTotals]]:
    """Every step with its totals, zeros where there are none."""
    return [(start, found.get(start) or UsageTotals()) for start in starts]


def plain(totals: UsageTotals) -> dict[str, Any]:
    """Totals as JSON has them."""
    return {each.name: getattr(totals, each.name) for each in fields(totals)}


# ---- groups


def _groups(ask: Ask, by: str, found: Mapping[str | int, UsageTotals]) -> list[dict[str, Any]]:
    """Named groups: times and statuses in their order, others by how much there is of them, the most first."""
    keys = sorted(found, key=lambda key: (-sum(found[key].statuses.values()), str(key)))
    if by in _ORDERED:
        keys = sorted(found, key=int)
    out = []
    for key in keys:
        id_, name = (None, None) if key == "" else _NAMES[by](ask, key)
        out.append({"id": id_, "name": name, "totals": plain(found[key])})
    return out


def _consumer(ask: Ask, key: str | int) -> Name:
    row = consumer(ask, str(key))
    return (None if row is None else row["id"]), str(key)


def _tier(ask: Ask, key: str | int) -> Name:
    row = ask.context.catalog.select_by("consumer_groups", "name", str(key))
    return (None if row is None else row["id"]), str(key)


def _named(kind: str) -> Callable[[Ask, str | int], Name]:
    def name(ask: Ask, key: str | int) -> Name:
        row = ask.context.catalog.select(kind, str(key))
        return key, None if row is None else row["name"]

    return name


def _status(_: Ask, key: str | int) -> Name:
    phrase = next((status.phrase for status in HTTPStatus if status == key), None)
    return key, "no answer" if key == 0 else phrase


def _time(_: Ask, key: str | int) -> Name:
    return key, rfc3339(int(key) * SECOND)


_NAMES: Mapping[str, Callable[[Ask, str | int], Name]] = {
    "consumer": _consumer,
    "tier": _tier,
    "route": _named("routes"),
    "agent": lambda _, key: (None, str(key)),
    "service": _named("services"),
    "status": _status,
    "hour": _time,
    "day": _time,
}
_ORDERED = ("status", "hour", "day")


# ---- nobody


async def _is_nobody(ask: Ask, who: Whose) -> bool:
    """Whether a name belongs to no consumer and to no row of any time."""
    if who.of is None or who.row is not None:
        return False
    return not (await ask.context.ledger.usage_totals(who.of)).statuses


def _nobody(who: Whose) -> Reply:
    return message(404, f"consumer '{who.of}' not found, and no usage is stored under this name")
