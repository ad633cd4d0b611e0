"""(state, events) → state: how what the gateway tells becomes what the dashboard knows. Pure; no Textual, no clock.

The law (tests/tui/test_fold.py): the snapshot at event n with the events n+1 … m is the snapshot at event m. Requests
of before the snapshot only fill the tail and the rates. The outer maps are copied once per call, so hand events over
in batches. A kind of event that is not in ``_KINDS`` is kept in ``happened`` and changes nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from sys import intern
from typing import Any, TypeVar

from aimon_local.tui import traces
from aimon_local.tui.state import CONSUMERS, DENIALS, REQUESTS, Consumer, Limit, Request, State, Sums, Tier

Data = Mapping[str, Any]
Numbered = tuple[int, str, Data]

_T = TypeVar("_T")
_DAY = 86_400_000_000_000
_NS = 1_000_000_000
_HAPPENED = 50
_CALENDAR = ("second", "minute", "hour", "day", "week", "month")


def begin(document: Data, before: State | None = None) -> State:
    """The state of a snapshot. What only events tell (the tail, rates) goes on from ``before``."""
    old = before or State()
    known = old.tiers
    tiers = {row["name"]: _tier(row, known.get(row["name"])) for row in document["tiers"]}
    consumers = {row["name"]: _consumer(row) for row in document["consumers"]}
    return replace(
        old,
        number=document["number"],
        at_ns=document["at"],
        since_ns=document["since"],
        version=document["version"],
        pid=document["pid"],
        in_flight=document["in_flight"],
        ledger=None if document["ledger_writable"] else "it can't be written",
        total=_total(tier.sums for tier in tiers.values()),
        tiers=tiers,
        consumers=consumers,
        models={row["name"]: _sums({"allowed": 0, "denied": 0, "reasons": {}, **row}) for row in document["models"]},
        routes=document.get("routes", {}),
        more=document["more"],
        writes=0,
    )


def _tier(row: Data, old: Tier | None) -> Tier:
    made = Tier(row["name"], row["consumers"], row["plan"], tuple(each["name"] for each in row["limits"]), _sums(row))
    return made if old is None else replace(made, requests=old.requests, tokens=old.tokens)


def _consumer(row: Data) -> Consumer:
    limits = {(each["name"], each["account"]): limit(each) for each in row["limits"]}
    return Consumer(row["name"], row["id"], row["tier"], _sums(row), limits)


def limit(row: Data) -> Limit:
    """A limit as a snapshot gives it, where what is held is part of what is used."""
    used, held = row["used"], row["held"]
    return Limit(row["name"], row["account"], row["amount"], used - held, held, row["resets_ns"], row["shadow"])


def _sums(row: Data) -> Sums:
    allowed, denied, calls = row["allowed"], row["denied"], row["calls"]
    return Sums(allowed, denied, calls, row["input"], row["output"], row["cost"], row["charge"], dict(row["reasons"]))


def _total(parts: Iterable[Sums]) -> Sums:
    out = Sums()
    for part in parts:
        reasons = {**out.reasons}
        for reason, count in part.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        out = Sums(
            out.allowed + part.allowed,
            out.denied + part.denied,
            out.calls + part.calls,
            out.input + part.input,
            out.output + part.output,
            out.cost + part.cost,
            out.charge + part.charge,
            reasons,
        )
    return out


# ---- events


@dataclass(slots=True)
class _Draft:
    """Private copies that one call writes to."""

    state: State
    total: Sums
    tiers: dict[str, Tier]
    consumers: dict[str, Consumer]
    models: dict[str, Sums]
    requests: list[Request]
    denials: list[Request]
    at_ns: int
    since_ns: int
    ledger: str | None
    missed: int
    writes: int
    happened: list[tuple[str, Data]]


def fold(state: State, events: Iterable[Numbered]) -> State:
    """The state behind some events; those that it knows already change nothing."""
    draft = _Draft(
        state, state.total, dict(state.tiers), dict(state.consumers), dict(state.models),
        [], [], state.at_ns, state.since_ns, state.ledger, state.missed, state.writes, [],
    )  # fmt: skip
    number, tail = state.number, state.requests[-1].number if state.requests else 0
    for each, kind, data in events:
        if each <= number and kind != "gap":
            if kind == "request" and each > tail:
                _earlier(draft, each, data)
            continue
        number = max(number, each)
        act = _KINDS.get(kind)
        if act is not None:
            act(draft, each, data)
        if kind not in ("request", ""):
            draft.happened.append((kind, data))
    if number == state.number and not draft.happened and not draft.requests:
        return state
    return replace(
        state,
        number=number,
        at_ns=draft.at_ns,
        since_ns=draft.since_ns,
        ledger=draft.ledger,
        total=draft.total,
        tiers=draft.tiers,
        consumers=draft.consumers,
        models=draft.models,
        requests=_ring(state.requests, draft.requests, REQUESTS),
        denials=_ring(state.denials, draft.denials, DENIALS),
        missed=draft.missed,
        writes=draft.writes,
        happened=_ring(state.happened, draft.happened, _HAPPENED),
    )


def _ring(old: tuple[_T, ...], new: list[_T], most: int) -> tuple[_T, ...]:
    if not new:
        return old
    over = len(old) + len(new) - most
    return (*old[max(0, over) :], *new[-most:])


def _earlier(draft: _Draft, number: int, data: Data) -> None:
    """A request of before the snapshot: its sums are in there, the tail and the rates have it from here."""
    _told(draft, request(number, data, draft.state.routes))


def _told(draft: _Draft, made: Request, is_ai: bool = False, counts: bool = False) -> None:
    """The tail, the last denials, the rates of its tier; and its sums, where it ``counts``."""
    draft.requests.append(made)
    ended = made.at_ns + made.total_us * 1000
    draft.at_ns = max(draft.at_ns, ended)
    if made.denied:
        draft.denials.append(made)
    second = ended // _NS
    tier = draft.tiers.get(made.tier) or Tier(made.tier)
    draft.tiers[made.tier] = Tier(  # by place: this is done for each request
        tier.name,
        tier.consumers,
        tier.plan,
        tier.limits,
        _counted(tier.sums, made, is_ai) if counts else tier.sums,
        traces.added(tier.requests, second, 1),
        traces.added(tier.tokens, second, made.tokens) if made.tokens else tier.tokens,
    )


def _request(draft: _Draft, number: int, data: Data) -> None:
    if data["at_ns"] >= draft.since_ns + _DAY:
        _new_day(draft, data["at_ns"])
    made = request(number, data, draft.state.routes)
    ai = data.get("ai") if data["decision"] == "allow" else None
    counts = made.at_ns >= draft.since_ns  # a long call of yesterday belongs to yesterday
    _told(draft, made, ai is not None, counts)
    if counts:
        draft.total = _counted(draft.total, made, ai is not None)
        if ai is not None:
            found = draft.models.get(made.model, Sums())
            draft.models[made.model] = _counted(found, made, True)._replace(allowed=0)
    _of_consumer(draft, made, data, counts, ai is not None)


def _of_consumer(draft: _Draft, made: Request, data: Data, counts: bool, is_ai: bool) -> None:
    found = draft.consumers.get(made.consumer)
    if found is None:
        if len(draft.consumers) >= CONSUMERS:
            return
        found = Consumer(made.consumer, data["consumer_id"], made.tier)
    marks = data["ai"]["limits"] if data.get("ai") else ()
    limits = found.limits
    if marks:
        limits = {**limits}
        for mark in marks:
            key = (mark["name"], mark["account"])
            limits[key] = _moved(limits.get(key), mark)
    sums = _counted(found.sums, made, is_ai) if counts else found.sums
    draft.consumers[made.consumer] = Consumer(found.name, found.id, made.tier or found.tier, sums, limits)


def _moved(old: Limit | None, mark: Data) -> Limit:
    """A limit behind a call: in a calendar's window by what the call used, elsewhere by what was there after it."""
    name, resets_ns = mark["name"], mark["resets"] * _NS
    used = mark["after"] - mark["before"]
    shadow = old is not None and old.shadow
    calendar = name.partition("/")[2] in _CALENDAR
    if old is None or not calendar:
        return Limit(name, mark["account"], mark["amount"], mark["after"], 0, resets_ns, shadow)
    window = -(-old.resets_ns // _NS) * _NS
    if resets_ns < window:
        return old
    if resets_ns == window or not window:
        return old._replace(amount=mark["amount"], used=old.used + used, resets_ns=resets_ns)
    return Limit(name, mark["account"], mark["amount"], used, 0, resets_ns, shadow)


def _counted(sums: Sums, made: Request, is_ai: bool) -> Sums:
    if made.denied:
        reasons = {**sums.reasons, made.denied: sums.reasons.get(made.denied, 0) + 1}
        return sums._replace(denied=sums.denied + 1, reasons=reasons)
    return Sums(
        sums.allowed + 1,
        sums.denied,
        sums.calls + is_ai,
        sums.input + made.input,
        sums.output + made.output,
        sums.cost + made.cost,
        sums.charge + made.charge,
        sums.reasons,
    )


def request(number: int, data: Data, routes: Mapping[str, str]) -> Request:
    """A row of the ledger, as events and ``/requests`` give it."""
    ai = data.get("ai") or {}
    spent = ai if data["decision"] == "allow" else {}
    route = data["route_id"] or ""
    return Request(
        number,
        data["request_id"],
        data["at_ns"],
        intern(data["consumer"] or ""),
        intern(data["tier"] or ""),
        intern(routes.get(route) or data.get("route") or route),
        intern(data["method"]),
        data["status"],
        intern(data["deny_reason"] or ""),
        data["complete"],
        data["total_us"],
        intern(ai.get("model") or ""),
        spent.get("input", 0) + spent.get("cache_read", 0) + spent.get("cache_write", 0),
        spent.get("output", 0) + spent.get("reasoning", 0),
        spent.get("cost", 0),
        spent.get("charge", 0),
        intern(" ".join(ai.get("shadow") or ())),
        intern(ai.get("agent") or ""),
        intern(ai.get("owner") or ""),
        intern(ai.get("run") or ""),
        intern(ai.get("guard") or ""),
    )


def _new_day(draft: _Draft, at_ns: int) -> None:
    """Midnight in UTC: sums of today begin anew."""
    draft.since_ns = at_ns - at_ns % _DAY
    draft.total = Sums()
    draft.tiers = {name: replace(tier, sums=Sums()) for name, tier in draft.tiers.items()}
    draft.consumers = {name: replace(each, sums=Sums()) for name, each in draft.consumers.items()}
    draft.models = {}


def _ledger(draft: _Draft, number: int, data: Data) -> None:
    draft.ledger = data["failure"]


def _config(draft: _Draft, number: int, data: Data) -> None:
    draft.writes += 1


def _gap(draft: _Draft, number: int, data: Data) -> None:
    draft.missed += data["missed"] or 0


_KINDS = {"request": _request, "ledger": _ledger, "config": _config, "gap": _gap}
