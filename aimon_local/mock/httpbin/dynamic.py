"""Endpoints whose bytes are made on the spot or come slowly: /bytes, /stream-bytes, /range, /drip, /delay, /uuid.

Pure functions: a pause is a number in the body's parts, which the server waits out. With ``?seed=N`` the bytes are
those of Python's own generator, so they equal httpbin's.
"""

import math
import random
from collections.abc import Iterable, Iterator

from aimon_local.mock.httpbin import inspection
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.reply import OCTETS, TEXT, Parts, Reply, jsonify, refuse, typed

BYTES_MAX = 100 * 1024
DRIP_MAX = 10 * 1024 * 1024
DELAY_MAX = 10.0
CHUNK = 10 * 1024
TICK = 0.005  # shorter pauses between single bytes are drawn together
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"


def uuid4(ask: Ask) -> Reply:
    """/uuid."""
    return jsonify({"uuid": str(ask.world.uuid4())})


def random_bytes(ask: Ask, n: int) -> Reply:
    """/bytes/N: at most 100 KiB, in one piece."""
    try:
        return typed(OCTETS, _draw(ask, n))
    except ValueError:
        return refuse("seed must be a whole number")


def stream_bytes(ask: Ask, n: int) -> Reply:
    """/stream-bytes/N: the same, in chunks of ``?chunk_size``."""
    try:
        size = max(1, int(ask.arg("chunk_size", str(CHUNK))))
        body = _draw(ask, n)
    except ValueError:
        return refuse("seed and chunk_size must be whole numbers")
    return Reply(200, _pieces(body, size), (("Content-Type", OCTETS),))


def _draw(ask: Ask, n: int) -> bytes:
    """Random bytes, seeded by ``?seed``; raises ValueError for a seed that is no number."""
    seed = ask.arg("seed", "")
    source = random.Random(int(seed)) if "seed" in {name.lower() for name in ask.args} else ask.world.random
    return bytes(source.randint(0, 255) for _ in range(min(n, BYTES_MAX)))


def _pieces(body: bytes, size: int) -> Iterable[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def byte_range(ask: Ask, n: int) -> Reply:
    """/range/N: the alphabet over and over, by Range (RFC 9110, 14); ``?duration`` and ``?chunk_size`` slow it down."""
    tag = (("ETag", f"range{n}"), ("Accept-Ranges", "bytes"))
    if not 0 < n <= BYTES_MAX:
        return Reply(404, b"number of bytes must be in the range (0, 102400]", tag).add(("Content-Type", TEXT))
    try:
        size = max(1, int(ask.arg("chunk_size", str(CHUNK))))
        pause = _seconds(ask.arg("duration", "0")) / n
    except ValueError:
        return refuse("chunk_size must be a whole number, duration a number of seconds")
    first, last = _asked_range(ask.header("Range"), n)
    if not 0 <= first <= last < n:
        return typed(TEXT, b"", 416).add(*tag, ("Content-Range", f"bytes */{n}"))
    body = (ALPHABET * (n // len(ALPHABET) + 1))[first : last + 1]
    whole = len(body) == n
    fields = (("Content-Type", OCTETS), *tag, ("Content-Range", f"bytes {first}-{last}/{n}"))
    return Reply(200 if whole else 206, _slowly(body, size, pause), fields, length=len(body))


def _asked_range(value: str | None, n: int) -> tuple[int, int]:
    """First and last byte asked for; what is no single byte range asks for all."""
    pieces = (value or "").strip().split("=")
    if len(pieces) != 2 or not pieces[0].startswith("bytes"):
        return 0, n - 1
    ends = pieces[1].split("-")
    left, right = _number(ends[0]), _number(ends[1]) if len(ends) > 1 else None
    if left is None:
        return (0 if right is None else max(0, n - right)), n - 1
    return left, n - 1 if right is None else right


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _slowly(body: bytes, size: int, pause: float) -> Iterator[bytes | float]:
    """Chunks with a pause for each of their bytes: after a full chunk, before the rest."""
    for at in range(0, len(body), size):
        chunk = body[at : at + size]
        if len(chunk) < size and pause:
            yield pause * len(chunk)
        yield chunk
        if len(chunk) == size and pause:
            yield pause * len(chunk)


def drip(ask: Ask) -> Reply:
    """/drip?duration&numbytes&code&delay: asterisks, evenly over the duration."""
    try:
        duration = _seconds(ask.arg("duration", "2"))
        delay = _seconds(ask.arg("delay", "0"))
        count = min(int(ask.arg("numbytes", "10")), DRIP_MAX)
        code = int(ask.arg("code", "200"))
    except ValueError:
        return refuse("duration and delay are seconds, numbytes and code whole numbers")
    if count <= 0:
        return typed(TEXT, "number of bytes must be positive", 400)
    if not 200 <= code <= 999:
        return refuse("Invalid status code")
    fields = (("Content-Type", OCTETS),)
    return Reply(code, _drops(count, duration / count), fields, wait=delay, length=count)


def _drops(count: int, pause: float) -> Parts:
    """Single bytes with a pause after each; several at once where the pause would be too short to keep."""
    at_once = max(1, math.ceil(TICK / pause)) if pause else CHUNK
    for sent in range(0, count, at_once):
        size = min(at_once, count - sent)
        yield b"*" * size
        if pause:
            yield pause * size


def delay(ask: Ask, seconds: str) -> Reply:
    """/delay/SECONDS (10 at most): then what /anything shows, but for method and json."""
    try:
        wait = min(_seconds(seconds), DELAY_MAX)
    except ValueError:
        return refuse("the delay must be a number of seconds")
    reply = jsonify(inspection.seen(ask) | inspection.seen_body(ask))
    return Reply(reply.status, reply.body, reply.fields, wait)


def _seconds(text: str) -> float:
    """A span that can be waited for; raises ValueError for what is none."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value
