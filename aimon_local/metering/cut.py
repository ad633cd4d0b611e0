"""A stream that is ended at its budget's edge: ``hard_cut`` of a tier.

Counted is what was delivered, by our own count (``BYTES_PER_TOKEN`` bytes of text a token), whatever the provider says
of itself. Whole events pass until one would go beyond the edge; in its place go the dialect's own words for "the bound
on output is reached" (``metering.endings``), and ``ended`` tells the exchange to let go of the upstream. Where nothing
goes beyond the edge, it is the ``StreamMeter`` that it builds on.
"""

from aimon_local.metering.dialect import AiFacts, Dialect
from aimon_local.metering.endings import ending_for
from aimon_local.metering.estimate import BYTES_PER_TOKEN
from aimon_local.metering.meter import Metered, StreamMeter
from aimon_local.metering.sse import parse
from aimon_local.model.tokens import Source, TokenUsage

CUT = "cut"
"""The flag of a call whose stream was ended at the edge."""


class CutMeter(StreamMeter):
    """``edge``: output tokens that may be delivered."""

    __slots__ = ("_edge", "_ending", "_passed", "ended")

    def __init__(self, dialect: Dialect, facts: AiFacts, edge: int) -> None:
        super().__init__(dialect, facts)
        self._edge = edge * BYTES_PER_TOKEN  # bytes
        self._ending = ending_for(dialect.name)
        self._passed = 0  # bytes of text that went to the client
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """Whole events, up to the edge; behind it, the end."""
        out = []
        for raw in self._splitter.feed(data):
            if self.ended:
                break
            out.append(self._next(raw))
        return b"".join(out)

    def _next(self, raw: bytes) -> bytes:
        passed, event = self._take(raw), parse(raw)
        if self._fold.delivered > self._edge or self._splitter.overflow:  # a giant event can't be counted
            self._ending.see(event, passed=False)
            self.ended = True
            return self._ending.words(self._usage(), self._facts.wants_usage)
        self._passed = self._fold.delivered
        self._ending.see(event)
        return passed

    def rest(self) -> bytes:
        """The event without an end that the stream stopped in."""
        raw = b"" if self.ended else self._splitter.rest()
        return self._next(raw) if raw else b""

    def _usage(self) -> TokenUsage:
        """The input as the provider reported it, where it has; the output that was delivered."""
        output, known = -(-self._passed // BYTES_PER_TOKEN), self._fold.usage
        prompt = self._facts.prompt_tokens
        if known is None or not 0 < known.total_input <= prompt * BYTES_PER_TOKEN:
            return TokenUsage(prompt, output=output, source=Source.ESTIMATED, flags=(CUT,))
        return known._replace(output=output, reasoning=0, source=Source.ESTIMATED, flags=(CUT,))

    def finish(self, complete: bool) -> Metered:
        """Add up; a stream that was cut is complete: its client got an end."""
        if not self.ended:
            return super().finish(complete)
        usage = self._usage()._replace(complete=complete)
        return Metered(usage, self._ending.finish_reason, self._fold.model, self._fold.error)
