"""How limits stand, in the header fields of each party: OpenAI's, Anthropic's, Kong's, and the IETF draft's.

    OpenAI's     x-ratelimit-{limit,remaining,reset}-{requests,tokens}, a duration until the reset
    Anthropic's  anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}, a moment
    Kong's       X-RateLimit-{Limit,Remaining}-Day of each request window, RateLimit-… of the one with the least left
    IETF's       RateLimit-Policy and RateLimit, a member per limit

Providers' fields describe the limit with the least left of each kind (of equals, the longer one). Sources: the
providers' published pages; draft-ietf-httpapi-ratelimit-headers (structured-field lists, ``qu`` names a unit; tokens
and money are extensions of ours to its units); Kong's rate-limiting. All pure, on statuses of ``policy.account``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from aimon_local.model.tier import SPAN_S, Period
from aimon_local.policy.account import Status
from aimon_local.policy.call import Lines

Field = tuple[bytes, bytes]

_NS = 1_000_000_000
_MS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
_REQUESTS = ("requests", "burst")
_TOKENS = ("tokens", "input_tokens", "output_tokens")
_OPENAI = {"requests": _REQUESTS, "tokens": _TOKENS}
_ANTHROPIC = {"requests": _REQUESTS, "tokens": ("tokens",), "input-tokens": _TOKENS[1:2], "output-tokens": _TOKENS[2:]}
_IETF_UNITS = {
    "tokens": b';qu="tokens"',
    "input_tokens": b';qu="input-tokens"',
    "output_tokens": b';qu="output-tokens"',
    "cost": b';qu="nano-usd"',
    "charge": b';qu="nano-usd"',
    "concurrency": b';qu="concurrent-requests"',
}
_SECONDS = {period.value: SPAN_S[period] for period in Period}


@lru_cache(maxsize=4096)
def unit_of(name: str) -> str:
    """The unit in a limit's name: ``requests`` of ``requests/day``."""
    return name.partition("/")[0]


@lru_cache(maxsize=4096)
def period_of(name: str) -> str:
    """The period in a limit's name, "" where it has none (burst, concurrency)."""
    return name.partition("/")[2].partition(":")[0]


def duration(nanoseconds: int) -> str:
    """OpenAI's text of a duration: ``20ms``, ``1s``, ``6m0s``, ``23h59m59s``; rounded up, never earlier than true."""
    if nanoseconds < _NS:
        return f"{-(-nanoseconds // _MS)}ms" if nanoseconds > 0 else "0s"
    seconds = -(-nanoseconds // _NS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def moment(now: int, later: int) -> str:
    """RFC 3339, UTC, of ``later`` nanoseconds after ``now``, rounded up to a second."""
    at = _EPOCH + timedelta(seconds=-(-(now + later) // _NS))
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def standing(statuses: Sequence[Status], provider: str | None, now: int, *, kongs: bool = True) -> Lines:
    """All fields of an answer; ``provider`` None: a plain route. ``kongs`` False: Kong's own plugin has set its own."""
    layout = _layout(statuses)
    lefts = [amount - used if amount > used else 0 for _, _, amount, used, _ in statuses]
    numbers: list[int | bytes] = []
    if kongs and layout.windows:
        numbers += [lefts[place] for place in layout.windows]
        least = _least(statuses, lefts, layout.windows)
        _, _, amount, _, resets = statuses[least]
        numbers += (amount, lefts[least], -(-resets // _NS) or 1)
    for places in layout.groups(provider):
        least = _least(statuses, lefts, places)
        _, _, amount, _, resets = statuses[least]
        when = moment(now, resets) if provider == "anthropic" else duration(resets)
        numbers += (amount, lefts[least], when.encode())
    if statuses:
        numbers.append(_members(layout, statuses, lefts))
    told = layout.told(provider, kongs=kongs)
    return Lines(told.names, (told.text % tuple(numbers)).split(b"\n") if numbers else [])


def fields(lines: Lines) -> tuple[Field, ...]:
    """The same as names and values."""
    return tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines.lines))


def _members(layout: "_Layout", statuses: Sequence[Status], lefts: Sequence[int]) -> bytes:
    """The value of the draft's ``RateLimit``."""
    return b", ".join(
        [
            head % (left, -(-status[4] // _NS)) if status[4] else timeless % left
            for (head, timeless), status, left in zip(layout.members, statuses, lefts, strict=True)
        ]
    )


def _least(statuses: Sequence[Status], lefts: Sequence[int], places: Sequence[int]) -> int:
    """Of some limits the place of the one with the least left; of equals the one that resets last."""
    best = places[0]
    for place in places:
        left, least = lefts[place], lefts[best]
        if left < least or (left == least and statuses[place][4] > statuses[best][4]):
            best = place
    return best


# ---- what is the same for all calls of a tier, made once

_PARTS = ("limit", "remaining", "reset")


class _Told(NamedTuple):
    """The fields' lines as one text with gaps, and their names in lower case."""

    text: bytes
    names: frozenset[bytes]


class _Layout:
    """Which limit goes into which field."""

    __slots__ = ("_groups", "_limits", "_told", "members", "windows")

    def __init__(self, limits: Sequence[tuple[str, int]]) -> None:
        names = [name for name, _ in limits]
        self._limits = limits
        self.windows = [
            place for place, name in enumerate(names) if name.startswith("requests/") and not name.endswith(":sliding")
        ]
        self._groups = {"anthropic": _grouped(names, _ANTHROPIC), "openai": _grouped(names, _OPENAI)}
        # Forms of the draft's members, with a time until the reset and without one.
        self.members = [(b'"%b";r=%%d;t=%%d' % name.encode(), b'"%b";r=%%d' % name.encode()) for name in names]
        self._told: dict[tuple[str | None, bool], _Told] = {}

    def groups(self, provider: str | None) -> Iterable[Sequence[int]]:
        """The places of the limits that each of a provider's words stands for."""
        return () if provider is None else self._groups[provider].values()

    def told(self, provider: str | None, *, kongs: bool) -> _Told:
        """The text for a party."""
        found = self._told.get((provider, kongs))
        if found is None:
            lines = [*self._kong(kongs), *self._provider(provider), *self._ietf()]
            names = frozenset(line.partition(b":")[0].lower() for line in lines)
            found = self._told[provider, kongs] = _Told(b"\n".join(lines), names)
        return found

    def _kong(self, kongs: bool) -> list[bytes]:
        if not kongs or not self.windows:
            return []
        lines = []
        for name, amount in (self._limits[place] for place in self.windows):
            word = period_of(name).capitalize().encode()
            lines += [b"X-RateLimit-Limit-%b: %d" % (word, amount), b"X-RateLimit-Remaining-%b: %%d" % word]
        return [*lines, b"RateLimit-Limit: %d", b"RateLimit-Remaining: %d", b"RateLimit-Reset: %d"]

    def _provider(self, provider: str | None) -> list[bytes]:
        if provider is None:
            return []
        form = "anthropic-ratelimit-{0}-{1}: " if provider == "anthropic" else "x-ratelimit-{1}-{0}: "
        return [
            form.format(word, part).encode() + (b"%b" if part == "reset" else b"%d")
            for word in self._groups[provider]
            for part in _PARTS
        ]

    def _ietf(self) -> list[bytes]:
        if not self._limits:
            return []
        return [
            b"RateLimit-Policy: " + b", ".join(_policy(name, amount) for name, amount in self._limits),
            b"RateLimit: %b",
        ]


def _grouped(names: Sequence[str], units: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    """For each of a provider's words with limits: the places of those limits."""
    found = {word: [place for place, name in enumerate(names) if unit_of(name) in some] for word, some in units.items()}
    return {word: places for word, places in found.items() if places}


def _policy(name: str, amount: int) -> bytes:
    period = _SECONDS.get(period_of(name))
    window = b";w=%d" % period if period is not None else b""
    return b'"%b";q=%d%b%b' % (name.encode(), amount, _IETF_UNITS.get(unit_of(name), b""), window)


_layouts: dict[tuple[tuple[str, int], ...], _Layout] = {}


def _layout(statuses: Sequence[Status]) -> _Layout:
    limits = tuple([status[1:3] for status in statuses])
    found = _layouts.get(limits)
    if found is None:
        if len(_layouts) >= 1000:
            _layouts.clear()
        found = _layouts[limits] = _Layout(limits)
    return found
