"""Lets the events of a script happen. Which there are: ``happenings.KINDS``; each has its action here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aimon_local.client.admin import segment
from aimon_local.errors import ConfigError
from aimon_local.scenario.minting import Mint
from aimon_local.scenario.script import Event
from aimon_local.scenario.world import Door

Action = Callable[["Hand", Mapping[str, Any]], Awaitable[None]]


class Hand:
    """The operator's hand in a run."""

    def __init__(self, mint: Mint, admin: Door, mock: Door | None, knobs: Mapping[str, Any]) -> None:
        self.mint, self.admin, self._mock, self.knobs = mint, admin, mock, knobs

    async def happen(self, event: Event) -> None:
        """One event; AimonError: it failed."""
        await _ACTIONS[event.do](self, event.values)

    @property
    def mock(self) -> Door:
        """The mock's control."""
        if self._mock is None:
            raise ConfigError("the mock was not found", "give --mock-url")
        return self._mock


async def _nothing(hand: Hand, values: Mapping[str, Any]) -> None:
    return None


def _clock(verb: str, key: str = "") -> Action:
    async def move(hand: Hand, values: Mapping[str, Any]) -> None:
        await hand.mint.clock(verb, str(values[key]) if key else True)

    return move


async def _revoke(hand: Hand, values: Mapping[str, Any]) -> None:
    for held in hand.mint.cast.holders[values["actor"]]:
        await hand.admin.call("DELETE", f"/consumers/{segment(held.consumer)}/key-auth/{held.id}")


async def _rotate(hand: Hand, values: Mapping[str, Any]) -> None:
    """The new key first, then the old one ends: a client is never without."""
    for held in hand.mint.cast.holders[values["actor"]]:
        fresh, old = await hand.mint.key(held.consumer), f"/consumers/{segment(held.consumer)}/key-auth/{held.id}"
        held.key, held.id = fresh.key, fresh.id
        if values.get("grace"):
            await hand.admin.call("PATCH", old, {"ttl": int(values["grace"])})
        else:
            await hand.admin.call("DELETE", old)


async def _knobs(hand: Hand, values: Mapping[str, Any]) -> None:
    await hand.mock.call("PATCH", "/_mock/config", values["knobs"])


async def _reset(hand: Hand, values: Mapping[str, Any]) -> None:
    await hand.mock.call("PUT", "/_mock/config", hand.knobs)


async def _tier(hand: Hand, values: Mapping[str, Any]) -> None:
    tiers = hand.mint.cast.tiers
    if values["tier"] not in tiers:
        raise ConfigError(f"the script has no tier {values['tier']!r}", f"known: {', '.join(tiers)}")
    await hand.admin.call("PATCH", f"/tiers/{segment(tiers[values['tier']])}", values["fields"])


async def _admin(hand: Hand, values: Mapping[str, Any]) -> None:
    prefix = hand.mint.cast.prefix
    path = values["path"].replace("${prefix}", prefix)
    await hand.admin.call(values.get("method", "GET"), path, _named(values.get("body"), prefix))


def _named(value: Any, prefix: str) -> Any:
    """A body whose texts name the run's own things."""
    if isinstance(value, Mapping):
        return {name: _named(inner, prefix) for name, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, prefix) for inner in value]
    return value.replace("${prefix}", prefix) if isinstance(value, str) else value


_ACTIONS: Mapping[str, Action] = {
    "phase": _nothing,
    "clock.jump": _clock("jump", "to"),
    "clock.advance": _clock("advance", "by"),
    "clock.freeze": _clock("freeze"),
    "clock.resume": _clock("resume"),
    "clock.speed": _clock("speed", "speed"),
    "key.revoke": _revoke,
    "key.rotate": _rotate,
    "mock.set": _knobs,
    "mock.reset": _reset,
    "tier.set": _tier,
    "admin": _admin,
}
