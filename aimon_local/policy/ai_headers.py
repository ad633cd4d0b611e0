"""How limits stand, in the header fields of each party: OpenAI's, Anthropic's, Kong's, and the IETF draft's.

OpenAI's and Anthropic's describe the limit with the least left of each kind (of equals, the longer one). Sources: the
providers' published pages; draft-ietf-httpapi-ratelimit-headers (structured-field lists, ``qu`` names a unit; tokens
and money are extensions of ours to its units); Kong's rate-limiting. All pure, on statuses of ``policy.account``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from aimon_local.model.tier import SPAN_S, Period
from aimon_local.policy.account import Status

Field = tuple[bytes, bytes]

_NS = 1_000_000_000
_MS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
_REQUESTS = ("requests", "burst")
_TOKENS = ("tokens", "input_tokens", "output_tokens")
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


def openai(statuses: Sequence[Status], now: int, seen: "_Seen | None" = None) -> list[Field]:
    """``x-ratelimit-{limit,remaining,reset}-{requests,tokens}``."""
    layout, lefts = seen or _see(statuses)
    fields: list[Field] = []
    for (limit, remaining, reset), places in layout.openai:
        place = _least(statuses, lefts, places)
        _, _, amount, _, resets = statuses[place]
        fields += (
            (limit, b"%d" % amount),
            (remaining, b"%d" % lefts[place]),
            (reset, duration(resets).encode()),
        )
    return fields


def anthropic(statuses: Sequence[Status], now: int, seen: "_Seen | None" = None) -> list[Field]:
    """``anthropic-ratelimit-{requests,tokens,…}-{limit,remaining,reset}``."""
    layout, lefts = seen or _see(statuses)
    fields: list[Field] = []
    for (limit, remaining, reset), places in layout.anthropic:
        place = _least(statuses, lefts, places)
        _, _, amount, _, resets = statuses[place]
        fields += (
            (limit, b"%d" % amount),
            (remaining, b"%d" % lefts[place]),
            (reset, moment(now, resets).encode()),
        )
    return fields


def kong(statuses: Sequence[Status], now: int, seen: "_Seen | None" = None) -> list[Field]:
    """``X-RateLimit-{Limit,Remaining}-Day`` of each request window, and the three of the tightest."""
    layout, lefts = seen or _see(statuses)
    if not layout.windows:
        return []
    fields: list[Field] = []
    for place, told, name in layout.kong:
        fields += (told, (name, b"%d" % lefts[place]))
    least = _least(statuses, lefts, layout.windows)
    _, _, amount, _, resets = statuses[least]
    fields += (
        (b"RateLimit-Limit", b"%d" % amount),
        (b"RateLimit-Remaining", b"%d" % lefts[least]),
        (b"RateLimit-Reset", b"%d" % max(1, -(-resets // _NS))),
    )
    return fields


def ietf(statuses: Sequence[Status], now: int, seen: "_Seen | None" = None) -> list[Field]:
    """``RateLimit-Policy`` and ``RateLimit``: one member per limit."""
    if not statuses:
        return []
    layout, lefts = seen or _see(statuses)
    standings = [
        head % (left, -(-status[4] // _NS)) if status[4] else timeless % left
        for (head, timeless), status, left in zip(layout.members, statuses, lefts, strict=True)
    ]
    return [(b"RateLimit-Policy", layout.policies), (b"RateLimit", b", ".join(standings))]


# ---- what is the same for all calls of a tier, made once

Names = tuple[bytes, bytes, bytes]  # of the fields that tell a limit, what remains of it, when it resets


class _Layout:
    """Which limit goes into which field."""

    __slots__ = ("anthropic", "kong", "members", "openai", "policies", "windows")

    def __init__(self, limits: Sequence[tuple[str, int]]) -> None:
        names = [name for name, _ in limits]
        self.windows = [
            place for place, name in enumerate(names) if name.startswith("requests/") and not name.endswith(":sliding")
        ]
        self.kong = [(place, *_kong_names(*limits[place])) for place in self.windows]
        self.openai = _grouped(names, {"requests": _REQUESTS, "tokens": _TOKENS}, "x-ratelimit-{1}-{0}")
        self.anthropic = _grouped(names, _ANTHROPIC, "anthropic-ratelimit-{0}-{1}")
        # Forms of the draft's members, with a time until the reset and without one. A name holds no percent sign.
        self.members = [(b'"%b";r=%%d;t=%%d' % name.encode(), b'"%b";r=%%d' % name.encode()) for name in names]
        self.policies = b", ".join(_policy(name, amount) for name, amount in limits)


def _kong_names(name: str, amount: int) -> tuple[Field, bytes]:
    word = period_of(name).capitalize().encode()
    return (b"X-RateLimit-Limit-" + word, b"%d" % amount), b"X-RateLimit-Remaining-" + word


def _grouped(names: Sequence[str], units: Mapping[str, Sequence[str]], form: str) -> list[tuple[Names, list[int]]]:
    """For each of a provider's words with limits: its three fields, and the places of those limits."""
    out = []
    for word, some in units.items():
        places = [place for place, name in enumerate(names) if unit_of(name) in some]
        limit, remaining, reset = (form.format(word, part).encode() for part in ("limit", "remaining", "reset"))
        if places:
            out.append(((limit, remaining, reset), places))
    return out


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


_Seen = tuple[_Layout, list[int]]  # and what is left of each limit, never below zero


def _see(statuses: Sequence[Status]) -> _Seen:
    return _layout(statuses), [amount - used if amount > used else 0 for _, _, amount, used, _ in statuses]


def _least(statuses: Sequence[Status], lefts: Sequence[int], places: Sequence[int]) -> int:
    """Of some limits the place of the one with the least left; of equals the one that resets last."""
    best = places[0]
    for place in places:
        left, least = lefts[place], lefts[best]
        if left < least or (left == least and statuses[place][4] > statuses[best][4]):
            best = place
    return best


def standing(statuses: Sequence[Status], provider: str | None, now: int, *, kongs: bool = True) -> list[Field]:
    """All fields of an answer; ``provider`` None: a plain route. ``kongs`` False: Kong's own plugin has set its own."""
    seen = _see(statuses)
    fields = kong(statuses, now, seen) if kongs else []
    if provider == "anthropic":
        fields += anthropic(statuses, now, seen)
    elif provider is not None:
        fields += openai(statuses, now, seen)
    return fields + ietf(statuses, now, seen)
