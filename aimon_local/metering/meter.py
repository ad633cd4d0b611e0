"""Metering an answer as it passes: bytes in, bytes out, and at the end what was used.

A whole answer passes unchanged while a copy, up to a bound, waits to be read. A stream passes event by event; the chunk
with the usage that we asked for is taken out where the client did not ask. What the provider reports is trusted only
where it is credible against the bytes that went in and came out; else our own count stands in, marked and flagged.
"""

from typing import NamedTuple

from aimon_local.metering.dialect import AiFacts, Answer, Dialect
from aimon_local.metering.document import loaded
from aimon_local.metering.estimate import BYTES_PER_TOKEN
from aimon_local.metering.sse import Splitter, parse
from aimon_local.model.tokens import Source, TokenUsage

MOST = 8 << 20  # bytes of a whole answer that are kept to be read

# A token is at least one byte of text in every known tokenizer, and a prompt carries framing beside its text.
_FRAMING = 64
_MEDIA = 100_000  # tokens that pictures, files or a stored conversation may add beyond our sight of the prompt


class Metered(NamedTuple):
    """What one call used, and how it ended."""

    usage: TokenUsage
    finish_reason: str | None = None
    model: str | None = None  # the one that served
    error: bool = False  # an error came inside a 200 stream


def settle_usage(reported: TokenUsage | None, delivered: int, facts: AiFacts, complete: bool) -> TokenUsage:
    """The usage that counts: the provider's where it is credible, else our own count."""
    flag = _doubt(reported, delivered, facts)
    if flag is None and reported is not None:
        return reported if complete else reported._replace(complete=False)
    output = -(-delivered // BYTES_PER_TOKEN)
    return TokenUsage(
        facts.prompt_tokens, output=output, source=Source.ESTIMATED, complete=complete, flags=(flag or "usage_absent",)
    )


def _doubt(reported: TokenUsage | None, delivered: int, facts: AiFacts) -> str | None:
    """Why a report is not believed; None: it is, or there is none."""
    if reported is None:
        return "usage_absent"
    if reported.output > delivered + _FRAMING and delivered:
        return "output_inflated"
    if delivered > _FRAMING and reported.total_output == 0:
        return "output_deflated"
    if reported.total_input > facts.prompt_tokens * BYTES_PER_TOKEN + _MEDIA:
        return "input_inflated"
    return None


class WholeMeter:
    """An answer that comes as one JSON document."""

    __slots__ = ("_dialect", "_facts", "_kept", "_size")

    ended = False
    """It never ends an answer by itself."""

    def __init__(self, dialect: Dialect, facts: AiFacts) -> None:
        self._dialect, self._facts = dialect, facts
        self._kept: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        """The bytes to pass on."""
        self._size += len(data)
        if self._size <= MOST:
            self._kept.append(data)
        return data

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def finish(self, complete: bool) -> Metered:
        """Read what was kept."""
        answer = Answer(None, None, None, self._size)
        if self._size <= MOST:
            try:
                document = loaded(b"".join(self._kept))
            except (ValueError, RecursionError):
                document = None
            if isinstance(document, dict):
                answer = self._dialect.answer(document)
        usage = settle_usage(answer.usage, answer.delivered, self._facts, complete)
        return Metered(usage, answer.finish_reason, answer.model)


class StreamMeter:
    """An answer that comes as server-sent events."""

    __slots__ = ("_facts", "_fold", "_splitter", "_strips")

    ended = False
    """It never ends an answer by itself; ``metering.cut`` does."""

    def __init__(self, dialect: Dialect, facts: AiFacts) -> None:
        self._facts = facts
        self._fold = dialect.fold()
        self._splitter = Splitter()
        self._strips = not facts.wants_usage  # we asked for usage, the client did not

    def feed(self, data: bytes) -> bytes:
        """The bytes to pass on: all of them as they came, or whole events without what only we asked for."""
        passed = [out for raw in self._splitter.feed(data) if (out := self._take(raw))]
        return b"".join(passed) if self._strips else data

    def _take(self, raw: bytes) -> bytes:
        only_ours = self._fold.take(parse(raw))
        if not self._strips:
            return raw
        return b"" if only_ours else raw.replace(b',"usage":null', b"")

    def rest(self) -> bytes:
        """The event without an end that the stream stopped in."""
        raw = self._splitter.rest()
        if not raw:
            return b""
        passed = self._take(raw)
        return passed if self._strips else b""

    def finish(self, complete: bool) -> Metered:
        """Add up."""
        fold = self._fold
        usage = settle_usage(fold.usage, fold.delivered, self._facts, complete)
        return Metered(usage, fold.finish_reason, fold.model, fold.error)


Meter = WholeMeter | StreamMeter


def meter_for(dialect: Dialect, facts: AiFacts, content_type: bytes) -> Meter:
    """The meter that an answer's Content-Type asks for."""
    streamed = content_type.partition(b";")[0].strip().lower() == b"text/event-stream"
    return StreamMeter(dialect, facts) if streamed else WholeMeter(dialect, facts)
