"""The ring of events: what any listener sees is without holes, or told to have some."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aimon_local.client.events import parsed
from aimon_local.gateway.events import BATCH, Events, stream
from aimon_local.model.ai import AiRecord
from aimon_local.model.event import KINDS, Gap, LedgerState, RequestEnded, Started
from tests.support.ledger import usage_row

START = 1_700_000_000_000_000_000
BASE = START // 1000


def started(number=0):
    return Started(number, "1", 1)


class AnyListeners(RuleBasedStateMachine):
    """Events come, listeners read as they like: each sees every number once, in order, or hears of the gap."""

    def __init__(self):
        super().__init__()
        self.events = Events(START, bound=7)
        self.published = []  # what was published under BASE + 1, BASE + 2, …
        self.places = []  # of listeners

    @rule()
    def publish(self):
        event = started(len(self.published))
        self.events.publish(event)
        self.published.append(event)

    @rule(count=st.integers(0, 20))
    def commit(self, count):
        rows = [usage_row(len(self.published) + at) for at in range(count)]
        self.events.committed(rows)
        self.published += [RequestEnded(row) for row in rows]

    @rule(back=st.integers(0, 30))
    def join(self, back):
        self.places.append(max(BASE, self.events.last - back))

    @precondition(lambda self: self.places)
    @rule(data=st.data(), most=st.integers(1, 5))
    def read(self, data, most):
        which = data.draw(st.integers(0, len(self.places) - 1))
        at = self.places[which]
        gap = self.events.gap(at)
        if gap is not None:
            assert (gap.after, gap.reason, gap.missed) == (at, "overrun", gap.next - at - 1)
            assert gap.missed > 0
            assert gap.next == self.events.first
            at = gap.next - 1
        for number, event in self.events.after(at, most):
            assert number == at + 1
            assert event == self.published[number - BASE - 1]
            at = number
        assert at > self.places[which] or at == self.events.last
        self.places[which] = at

    @invariant()
    def numbers_have_no_holes(self):
        assert self.events.last == BASE + len(self.published)
        assert self.events.first == self.events.last + 1 - min(len(self.published), 7)


TestAnyListeners = AnyListeners.TestCase


@given(st.integers(0, 2 * BASE), st.integers(0, 30))
def test_a_place_of_another_run_is_told_whatever_it_was(after, count):
    events = Events(START, bound=7)
    events.committed([usage_row(at) for at in range(count)])
    gap = events.gap(after)
    if BASE <= after <= events.last:
        assert gap is None or gap.reason == "overrun"
    else:
        assert gap == Gap(after, events.first, "restart", None)


# ---- streams


def read(events, after, kinds, count):
    """The first ``count`` events of a stream as a client parses them, and whether the stream was at its end."""

    async def run():
        raw = b""
        async for piece in stream(events, after, kinds, heartbeat=0.01):
            raw += piece
            told = list(parsed(raw.splitlines(keepends=True)))
            if len(told) >= count:
                return told[:count]
        return list(parsed(raw.splitlines(keepends=True)))

    return asyncio.run(run())


def test_a_stream_is_what_the_ring_holds_then_ends_with_it():
    events = Events(START)
    events.publish(started())
    events.committed([usage_row(1), usage_row(2)])
    events.publish(LedgerState(5, "full", None))
    events.close()
    told = read(events, BASE, KINDS, 99)
    assert [(each.number - BASE, each.kind) for each in told] == [
        (1, "start"), (2, "request"), (3, "request"), (4, "ledger"),
    ]  # fmt: skip
    assert told[1].data == {**json.loads(json.dumps(usage_row(1)._asdict())), "ai": None}
    assert [each.number - BASE for each in read(events, BASE + 2, KINDS, 99)] == [3, 4]
    assert read(events, None, KINDS, 99) == []  # from now on


def test_what_ai_calls_used_goes_with_their_rows():
    events = Events(START)
    record = AiRecord("openai.chat", "free", "m", None, True, 1, 2, 3, 4)
    events.committed([usage_row(1), usage_row(2)], [(usage_row(2).request_id, record)])
    assert [event.ai for _, event in events.after(BASE)] == [None, record]


def test_kinds_choose_but_never_hide_a_gap():
    events = Events(START, bound=3)
    events.committed([usage_row(at) for at in range(5)])
    events.publish(started())
    events.close()
    told = read(events, BASE, ("start",), 99)
    assert [(each.number - BASE, each.kind) for each in told] == [(3, "gap"), (6, "start")]
    assert told[0].data == {"after": BASE, "next": BASE + 4, "reason": "overrun", "missed": 3}


def test_a_gap_can_be_resumed_from():
    events = Events(START, bound=3)
    events.committed([usage_row(at) for at in range(5)])
    events.close()
    gap = read(events, BASE, KINDS, 1)[0]
    assert [each.number for each in read(events, gap.number, KINDS, 99)] == [BASE + 3, BASE + 4, BASE + 5]


def test_silence_is_broken_with_the_number_that_was_reached():
    events = Events(START)
    events.committed([usage_row(1)])
    told = read(events, BASE, ("start",), 1)  # nothing of this kind: only a sign of life
    assert [(each.number, each.kind) for each in told] == [(BASE + 1, "")]


def test_an_event_wakes_who_waits():
    async def run():
        events = Events(START)
        listener = aiter(stream(events, None, KINDS, heartbeat=1000))
        assert await anext(listener) == b"retry: 1000\n\n"
        waiting = asyncio.ensure_future(anext(listener))
        await asyncio.sleep(0)
        assert not waiting.done()
        events.committed([usage_row(1)])
        assert b"event: request" in await waiting
        waiting = asyncio.ensure_future(anext(listener))
        await asyncio.sleep(0)
        events.close()
        with pytest.raises(StopAsyncIteration):
            await waiting

    asyncio.run(run())


def test_who_leaves_is_forgotten():
    async def run():
        events = Events(START)
        waiting = [asyncio.ensure_future(events.more(events.last, 1000)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.wait([waiting[1]])
        assert len(events._waiting) == 2
        events.publish(started())
        assert await waiting[0]
        assert await waiting[2]
        assert events._waiting == []

    asyncio.run(run())


def test_a_ring_that_turns_while_a_gap_goes_out_is_no_silent_hole():
    async def run():
        events = Events(START, bound=2)
        events.committed([usage_row(at) for at in range(5)])
        listener = aiter(stream(events, BASE, KINDS))
        await anext(listener)
        first = list(parsed((await anext(listener)).splitlines(keepends=True)))
        events.committed([usage_row(at) for at in range(5)])  # while the client takes the first gap
        second = list(parsed((await anext(listener)).splitlines(keepends=True)))
        return [(told.kind, told.data["after"] - BASE, told.data["next"] - BASE) for told in first + second]

    assert asyncio.run(run()) == [("gap", 0, 4), ("gap", 3, 9)]


def test_a_long_backlog_lets_others_run():
    async def run():
        events = Events(START)
        events.committed([usage_row(at) for at in range(BATCH * 10)])
        events.close()
        turns = 0

        async def other():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(other())
        pieces = [piece async for piece in stream(events, BASE, KINDS)]
        task.cancel()
        return turns, b"".join(pieces).count(b"event: request")

    turns, count = asyncio.run(run())
    assert count == BATCH * 10
    assert turns >= 10


def test_plain_rows_are_passed_over_without_a_hole_in_the_numbers():
    events = Events(5_000_000, bound=100)
    events.committed([usage_row(n) for n in range(3)])
    events.publish(Started(1, "9.9", 7))
    events.committed([usage_row(4)])
    reached, found = events.without_plain(events.base)
    assert (reached, [(number - events.base, event.kind) for number, event in found]) == (events.last, [(4, "start")])
    assert events.without_plain(events.last) == (events.last, [])
    assert events.without_plain(events.base, 2) == (events.base + 2, [])
