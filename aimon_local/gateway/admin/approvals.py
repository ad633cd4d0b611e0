"""``/approvals``: questions of soft limits, and the operator's answers. Our own, beside Kong's API."""

from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import NOT_FOUND, Ask, Reply, json_reply, message, refused
from aimon_local.gateway.admin.span import choice
from aimon_local.model.approval import Question, State
from aimon_local.model.moment import rfc3339
from aimon_local.model.money import usd
from aimon_local.model.paging import parse_size
from aimon_local.model.violation import Violation

_STATES = tuple(state.value for state in State)
_AMOUNTS = {"tokens": ("tokens", "input_tokens", "output_tokens"), "usd": ("cost", "charge"), "requests": ("requests",)}
_MOST_S = 366 * 86_400
_MOST = 1 << 53


async def listing(ask: Ask) -> Reply:
    """Questions, the newest first: of a ``state`` (pending, approved, denied), of a ``consumer`` by name."""
    state, size = choice(ask, "state", _STATES), parse_size(ask.query.first("size"))
    if isinstance(state, Reply):
        return state
    if isinstance(size, Violation):
        return refused(size)
    door = ask.context.approvals
    found = [] if door is None else await door.listed(state, ask.query.first("consumer"), size)
    return json_reply(200, {"data": [_shown(each) for each in found], "next": None})


async def one(ask: Ask) -> Reply:
    """One question."""
    door = ask.context.approvals
    found = None if door is None else await door.one(ask.params["approvals"])
    return NOT_FOUND if found is None else json_reply(200, _shown(found))


async def approve(ask: Ask) -> Reply:
    """Grant head-room: ``tokens``, ``usd`` or ``requests`` (else as much again), ``for`` so many seconds (else to the
    end of the limit's window).
    """
    door, id_ = ask.context.approvals, ask.params["approvals"]
    question = None if door is None else await door.one(id_)
    if door is None or question is None:
        return NOT_FOUND
    amount, seconds = _amount(question, ask.body.data), _seconds(ask.body.data)
    for given in (amount, seconds):
        if isinstance(given, str):
            return message(400, given)
    assert not isinstance(amount, str)
    assert not isinstance(seconds, str)
    return _answered(await door.decide(id_, True, amount, None if seconds is None else seconds * 1_000_000_000))


async def deny(ask: Ask) -> Reply:
    """Say no: until its window is over, the limit is a hard one."""
    door = ask.context.approvals
    return NOT_FOUND if door is None else _answered(await door.decide(ask.params["approvals"], False))


def _answered(outcome: Question | str | None) -> Reply:
    if outcome is None:
        return NOT_FOUND
    return message(409, outcome) if isinstance(outcome, str) else json_reply(200, _shown(outcome))


def _amount(question: Question, given: Mapping[Any, Any]) -> int | str | None:
    """The head-room in the limit's units; a text: what is wrong with it."""
    named = [name for name in _AMOUNTS if given.get(name) is not None]
    if not named:
        return None
    name = named[0]
    if len(named) > 1 or question.unit not in _AMOUNTS[name]:
        wanted = next(key for key, units in _AMOUNTS.items() if question.unit in units)
        return f"{question.id} is about {question.limit_name}: give {wanted} alone, not {' and '.join(named)}"
    try:
        amount = usd(given[name], name) if name == "usd" else int(given[name])
    except (ValueError, TypeError):
        return f"{name} must be a number from 0 up, not {given[name]!r}"
    return amount if 0 < amount <= _MOST else f"{name} must be a number from 1 up, not {given[name]!r}"


def _seconds(given: Mapping[Any, Any]) -> int | str | None:
    value = given.get("for")
    if value is None:
        return None
    text = str(value)
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:12]) <= _MOST_S:
        return f"for must be a number of seconds, at most {_MOST_S}, not {value!r}"
    return int(text)


def _shown(question: Question) -> dict[str, Any]:
    times = {"at": question.at_ns, "ends": question.ends_ns, "decided": question.decided_ns}
    return {**question.facts(), **{name: rfc3339(at) if at else None for name, at in times.items()}}
