"""``/clock``: the gateway's clock, and how it is moved. Our own, beside Kong's API."""

from collections.abc import Callable, Mapping
from typing import Any

from aimon_local.clock import MovableClock, Setting
from aimon_local.gateway.admin.ask import NOT_FOUND, Ask, Reply, json_reply, message
from aimon_local.gateway.clockwork import ClockDoor, facts
from aimon_local.model.moment import FORMS, duration, moment, rfc3339

Plan = Callable[[MovableClock], Setting | None]

_SWITCHES: Mapping[str, Plan] = {
    "freeze": MovableClock.frozen,
    "resume": MovableClock.resumed,
    "reset": lambda clock: None,
}
_WORDS = (*_SWITCHES, "advance", "jump", "speed")
_ONE = (
    "give one of: freeze, resume, reset (true), advance (how long: 90s, 30m, 1d12h), "
    "jump (a time: 2026-12-31T23:59:58Z), speed (60: a minute in each second)"
)


async def show(ask: Ask) -> Reply:
    """What it shows now."""
    door = ask.context.clockwork
    return NOT_FOUND if door is None else json_reply(200, shown(door))


async def move(ask: Ask) -> Reply:
    """Move it: one of ``freeze``, ``resume``, ``reset``, ``advance``, ``jump``, ``speed``."""
    door = ask.context.clockwork
    if door is None:
        return NOT_FOUND
    given = {str(name): value for name, value in ask.body.data.items()}
    unknown = [name for name in given if name not in _WORDS]
    chosen = {name: value for name, value in given.items() if not (name in _SWITCHES and _off(value))}
    if unknown or len(chosen) != 1:
        return message(400, f"unknown: {', '.join(unknown)}; {_ONE}" if unknown else _ONE)
    ((action, value),) = chosen.items()
    plan = _plan(action, str(value), door.clock)
    if isinstance(plan, str):
        return message(400, plan)
    try:
        await door.move(action, "" if action in _SWITCHES else str(value), plan)
    except ValueError as fault:
        return message(400, str(fault))
    return json_reply(200, shown(door))


def shown(door: ClockDoor) -> dict[str, Any]:
    """The clock, for people and programs."""
    now = facts(door.clock)
    setting = door.clock.setting
    return {
        "now": rfc3339(now["at_ns"]),
        "real": rfc3339(now["real_ns"]),
        "moved": door.clock.moved,
        "frozen": setting is not None and setting.speed == 0,
        **now,
    }


def _off(value: Any) -> bool:
    return value is False or value is None or str(value).lower() in ("false", "0", "no")


def _plan(action: str, value: str, clock: MovableClock) -> Plan | str:
    """The arithmetic of an action; a text: what is wrong with its value."""
    if action in _SWITCHES:
        if value.lower() not in ("true", "1", "yes", ""):
            return f"{action} is a switch: true, not {value!r}"
        return _SWITCHES[action]
    if action == "advance":
        by = duration(value)
        return f"advance must be a duration (90s, 30m, 1d12h), not {value!r}" if by is None else _advance(by)
    if action == "jump":
        to = moment(value, clock.now_ns())
        return f"jump must be {FORMS}, not {value!r}" if to is None else _jump(to)
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        return f"speed must be a whole number from 1 up, not {value!r}"
    return _speed(int(value))


def _advance(by: int) -> Plan:
    return lambda clock: clock.advanced(by)


def _jump(to: int) -> Plan:
    return lambda clock: clock.jumped(to)


def _speed(times: int) -> Plan:
    return lambda clock: clock.sped(times)
