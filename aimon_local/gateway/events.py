"""The gateway's events: one bounded ring that all listeners read, each at its own pace.

There is no queue per listener: the ring is everybody's queue, and a listener is a place in it. So the hot path pays
for a listener nothing but a wake-up per commit, and a slow one costs no memory: what it has not read when the ring
turns over it can't have any more, and a ``Gap`` tells it how much that was. Refused: a queue per listener, whose copies
cost each request.

Numbers have no holes. They begin at the microsecond of the start, so those of an earlier process are smaller and a
listener that comes back with one of them hears of the gap. Rows wait in the ring as they are; only a listener makes
events of them. A new source of events calls ``publish``.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence

from aimon_local.model.ai import AiRecord
from aimon_local.model.event import Event, Gap, RequestEnded
from aimon_local.model.usage import UsageRow

BOUND = 2_000  # events that are kept: half a kilobyte each, so this much is 1 MiB
BATCH = 64  # events that a listener takes before it gives the loop to others
HEARTBEAT = 15.0  # seconds of silence after which a stream shows that it lives

Numbered = tuple[int, Event]


class Events:
    """The ring. ``last``: the newest event's number. Use it on one event loop."""

    def __init__(self, now_ns: int, bound: int = BOUND) -> None:
        self.base = self.last = now_ns // 1000  # numbers of this process are greater
        self.closed = False
        self._ring: deque[Event | UsageRow] = deque(maxlen=bound)
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def first(self) -> int:
        """The oldest kept event's number; ``last + 1`` where none is kept."""
        return self.last - len(self._ring) + 1

    def publish(self, event: Event) -> None:
        """Add an event."""
        self._ring.append(event)
        self.last += 1
        if self._waiting:
            self._wake()

    def committed(self, rows: Sequence[UsageRow], ai: Sequence[tuple[str, AiRecord]] = ()) -> None:
        """Add the rows of one commit: requests that ended and are in the ledger; ``ai``: what some of them used."""
        if ai:
            used = dict(ai)
            self._ring.extend(RequestEnded(row, used.get(row.request_id)) for row in rows)
        else:
            self._ring.extend(rows)
        self.last += len(rows)
        if self._waiting:
            self._wake()

    def close(self) -> None:
        """No more events: whoever listens reads what is there, then ends."""
        self.closed = True
        self._wake()

    def gap(self, after: int) -> Gap | None:
        """What a listener has missed that read up to ``after``; None: nothing."""
        if self.base <= after <= self.last:
            missed = self.first - after - 1
            return Gap(after, self.first, "overrun", missed) if missed > 0 else None
        return Gap(after, self.first, "restart", None)

    def number_of(self, request_id: str) -> int | None:
        """The number of the event that tells of a request; None: it is not kept, or not told yet."""
        for back, item in enumerate(reversed(self._ring)):
            row = item if isinstance(item, UsageRow) else item.row if isinstance(item, RequestEnded) else None
            if row is not None and row.request_id == request_id:
                return self.last - back
        return None

    def tells_requests(self) -> bool:
        """Whether a request is among the events that are kept."""
        return any(isinstance(item, UsageRow | RequestEnded) for item in self._ring)

    def after(self, number: int, most: int = BATCH) -> list[Numbered]:
        """The next kept events behind ``number``, at most so many, with their numbers."""
        start = self.first
        ring = self._ring  # an index near either end costs little, where slicing walks all the way
        numbers = range(max(number + 1, start), min(number + most, self.last) + 1)
        return [(each, _event(ring[each - start])) for each in numbers]

    def without_plain(self, number: int, most: int = BATCH) -> tuple[int, list[Numbered]]:
        """As ``after``, for who does not care for rows of plain requests: they are passed over where they lie.

        The number that was reached, and what is left of at most so many events.
        """
        start, ring = self.first, self._ring
        numbers = range(max(number + 1, start), min(number + most, self.last) + 1)
        found = [(each, item) for each in numbers if not isinstance(item := ring[each - start], UsageRow)]
        return (numbers[-1] if numbers else number), found

    async def more(self, number: int, seconds: float) -> bool:
        """Wait until there is something behind ``number``, or the end; False: so many seconds went by without."""
        if self.last != number or self.closed:
            return True
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append(woken)
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            return False
        finally:
            if woken in self._waiting:
                self._waiting.remove(woken)
        return True

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


async def stream(
    events: Events, after: int | None, kinds: Collection[str], heartbeat: float = HEARTBEAT
) -> AsyncIterator[bytes]:
    """Server-sent events behind ``after`` (None: from now on), those of ``kinds``; a gap is told whatever the kinds.

    Each silence of ``heartbeat`` seconds gives a comment, with the number that was reached, so that who asks for few
    kinds does not come back with an old one (WHATWG HTML §9.2.6: an id without data moves the last event id).
    """
    at = events.last if after is None else after
    yield b"retry: 1000\n\n"
    while True:
        gap = events.gap(at)
        if gap is not None:
            at = gap.next - 1
            yield encoded(at, gap)
            continue  # while that went out, the ring may have turned on
        batch = events.after(at)
        if batch:
            at = batch[-1][0]
            wanted = b"".join(encoded(number, event) for number, event in batch if event.kind in kinds)
            if wanted:
                yield wanted
            await asyncio.sleep(0)  # a long backlog must not hold the proxy up
        elif events.closed:
            return
        elif not await events.more(at, heartbeat):
            yield b": alive\nid: %d\n\n" % at


def _event(item: Event | UsageRow) -> Event:
    return RequestEnded(item) if isinstance(item, UsageRow) else item


def encoded(number: int, event: Event) -> bytes:
    """One event on the wire; JSON holds no line ends, so it is one ``data`` line."""
    data = json.dumps(event.facts(), separators=(",", ":"))
    return f"id: {number}\nevent: {event.kind}\ndata: {data}\n\n".encode()
