"""How limits stand, in the header fields of each party: OpenAI's, Anthropic's, Kong's, and the IETF draft's.

OpenAI's and Anthropic's describe the limit with the least left of each kind (of equals, the longer one). Sources: the
providers' published pages; draft-ietf-httpapi-ratelimit-headers (structured-field lists, ``qu`` names a unit; tokens
and money are extensions of ours to its units); Kong's rate-limiting. All pure, on statuses of ``policy.account``.
"""

from collections.abc import Iterable, Sequence
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


def tightest(statuses: Iterable[Status], units: Sequence[str]) -> Status | None:
    """Of the limits of some units the one with the least left; of equals the one that resets last."""
    best: Status | None = None
    for status in statuses:
        if unit_of(status.name) not in units:
            continue
        if best is None or (status.remaining, -status.resets) < (best.remaining, -best.resets):
            best = status
    return best


def openai(statuses: Sequence[Status], now: int) -> list[Field]:
    """``x-ratelimit-{limit,remaining,reset}-{requests,tokens}``."""
    fields: list[Field] = []
    for word, units in ((b"requests", _REQUESTS), (b"tokens", _TOKENS)):
        status = tightest(statuses, units)
        if status is not None:
            fields += (
                (b"x-ratelimit-limit-" + word, b"%d" % status.amount),
                (b"x-ratelimit-remaining-" + word, b"%d" % status.remaining),
                (b"x-ratelimit-reset-" + word, duration(status.resets).encode()),
            )
    return fields


def anthropic(statuses: Sequence[Status], now: int) -> list[Field]:
    """``anthropic-ratelimit-{requests,tokens,…}-{limit,remaining,reset}``."""
    fields: list[Field] = []
    for word, units in _ANTHROPIC.items():
        status = tightest(statuses, units)
        if status is not None:
            head = f"anthropic-ratelimit-{word}-".encode()
            fields += (
                (head + b"limit", b"%d" % status.amount),
                (head + b"remaining", b"%d" % status.remaining),
                (head + b"reset", moment(now, status.resets).encode()),
            )
    return fields


def kong(statuses: Sequence[Status], now: int) -> list[Field]:
    """``X-RateLimit-{Limit,Remaining}-Day`` of each request window, and the three of the tightest."""
    windows = [
        status for status in statuses if status.name.startswith("requests/") and not status.name.endswith(":sliding")
    ]
    fields: list[Field] = []
    for status in windows:
        word = period_of(status.name).capitalize().encode()
        fields += (
            (b"X-RateLimit-Limit-" + word, b"%d" % status.amount),
            (b"X-RateLimit-Remaining-" + word, b"%d" % status.remaining),
        )
    least = tightest(windows, _REQUESTS)
    if least is not None:
        fields += (
            (b"RateLimit-Limit", b"%d" % least.amount),
            (b"RateLimit-Remaining", b"%d" % least.remaining),
            (b"RateLimit-Reset", b"%d" % max(1, -(-least.resets // _NS))),
        )
    return fields


def ietf(statuses: Sequence[Status], now: int) -> list[Field]:
    """``RateLimit-Policy`` and ``RateLimit``: one member per limit."""
    if not statuses:
        return []
    standings = []
    for _, name, amount, used, resets in statuses:
        left, head = max(amount - used, 0), _member(name)
        standings.append(b"%b%d;t=%d" % (head, left, -(-resets // _NS)) if resets else b"%b%d" % (head, left))
    policies = _policies(tuple([(status.name, status.amount) for status in statuses]))
    return [(b"RateLimit-Policy", policies), (b"RateLimit", b", ".join(standings))]


@lru_cache(maxsize=4096)
def _member(name: str) -> bytes:
    return b'"%b";r=' % name.encode()


@lru_cache(maxsize=1024)
def _policies(limits: tuple[tuple[str, int], ...]) -> bytes:
    """The same for all calls of a tier."""
    out = []
    for name, amount in limits:
        period = _SECONDS.get(period_of(name))
        window = b";w=%d" % period if period is not None else b""
        out.append(b'"%b";q=%d%b%b' % (name.encode(), amount, _IETF_UNITS.get(unit_of(name), b""), window))
    return b", ".join(out)


def standing(statuses: Sequence[Status], provider: str | None, now: int, *, kongs: bool = True) -> list[Field]:
    """All fields of an answer; ``provider`` None: a plain route. ``kongs`` False: Kong's own plugin has set its own."""
    fields = kong(statuses, now) if kongs else []
    if provider == "anthropic":
        fields += anthropic(statuses, now)
    elif provider is not None:
        fields += openai(statuses, now)
    return fields + ietf(statuses, now)
