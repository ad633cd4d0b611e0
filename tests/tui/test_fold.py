"""The fold against the gateway's own totals, and against its own laws."""

import itertools
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.client.admin import AdminClient
from aimon_local.client.stream import Attached, Stream, Told
from aimon_local.tui.fold import begin, fold
from aimon_local.tui.state import CONSUMERS, DENIALS, NOTHING, REQUESTS, State
from tests.support.live import GatewayProcess, ask, until
from tests.tui.made import DAY, event, snapshot

NS = 10**9


def compared(state: State):
    """What must be the same however it came about."""
    return (
        state.total,
        {name: tier.sums for name, tier in state.tiers.items() if tier.sums != NOTHING},
        {name: each.sums for name, each in state.consumers.items() if each.sums != NOTHING},
        {name: sums for name, sums in state.models.items() if sums != NOTHING},
    )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("tui") / "data") as running:
        yield running


def test_snapshot_and_events_are_the_later_snapshot(gateway):
    """Real traffic of all sorts: admitted, refused, cut, plain, without a key; each snapshot on its way leads there."""
    free, pro = gateway.keys["demo-free"], gateway.keys["demo-pro"]
    taken: list = []
    begun: list[State] = []
    stream = Stream(AdminClient("http://{}:{}".format(*gateway.admin)), taken.append)
    stream.start()
    until(lambda: taken)
    first = begin(taken[0].document)

    def traffic(number):
        keys = itertools.cycle((pro, free, pro, "wrong", pro, pro, pro))
        for at in range(25):
            model = ("mock-small", "mock-large", "nobody-knows")[at % 3]
            body = json.dumps(
                {"model": model, "messages": [{"role": "user", "content": "hi " * at}], "stream": at % 4 == 0}
            )
            ask(gateway.proxy, "POST", "/demo/v1/chat/completions", body, apikey=next(keys))
            ask(gateway.proxy, target=f"/demo/status/{(200, 404, 500)[at % 3]}", apikey=next(keys))

    threads = [threading.Thread(target=traffic, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        begun.append(begin(ask(gateway.admin, target="/snapshot").json))
    for thread in threads:
        thread.join()
    document = ask(gateway.admin, target="/snapshot").json
    last = begin(document)
    until(lambda: isinstance(taken[-1], Told) and taken[-1].events[-1][0] >= document["number"])
    stream.stop()
    events = [event for each in taken[1:] for event in each.events]
    wanted = compared(last)
    assert last.total.allowed > 30
    assert last.total.denied > 10
    assert last.total.cost > 0
    for state in [first, *begun]:
        assert compared(fold(state, [each for each in events if each[0] <= document["number"]])) == wanted
    limits = fold(first, events).consumers["demo-free"].limits
    for key, found in last.consumers["demo-free"].limits.items():
        if key[0] in ("requests/day", "cost/month"):
            assert limits[key].used == found.used


# ---- laws, on made events

MADE = st.builds(
    event,
    at_ns=st.integers(DAY, DAY + 3 * 86_400 * NS),
    consumer=st.sampled_from(["ann", "bob", "eve", None]),
    tier=st.sampled_from(["free", "pro", None]),
    deny_reason=st.sampled_from([None, None, "rate_limited", "no_key"]),
    model=st.sampled_from(["m-1", "m-2", None]),
    tokens=st.integers(0, 5000),
    cost=st.integers(0, 10**9),
)


@given(st.lists(MADE, max_size=30), st.data())
def test_batches_do_not_matter(made, data):
    numbered = [(number, "request", each) for number, each in enumerate(made, 1)]
    at = data.draw(st.integers(0, len(numbered)))
    start = begin(snapshot())
    whole = fold(start, numbered)
    assert fold(fold(start, numbered[:at]), numbered[at:]) == whole
    assert fold(whole, numbered) is whole  # told twice, counted once


@given(st.lists(MADE, max_size=30))
def test_parts_add_up(made):
    state = fold(begin(snapshot()), [(number, "request", each) for number, each in enumerate(made, 1)])
    for field in ("allowed", "denied", "input", "output", "cost", "charge"):
        assert sum(getattr(tier.sums, field) for tier in state.tiers.values()) == getattr(state.total, field)
        assert sum(getattr(each.sums, field) for each in state.consumers.values()) == getattr(state.total, field)
    assert sum(state.total.reasons.values()) == state.total.denied
    assert len(state.requests) == len(made)


def test_a_new_day_begins_at_midnight():
    late = event(at_ns=DAY + 86_400 * NS - 1, consumer="ann", tier="free")
    early = event(at_ns=DAY + 86_400 * NS, consumer="ann", tier="free")
    state = fold(begin(snapshot()), [(1, "request", late), (2, "request", early), (3, "request", late)])
    assert (state.total.allowed, state.since_ns) == (1, DAY + 86_400 * NS)
    assert len(state.requests) == 3


def mark(before, after, resets, name="requests/minute"):
    return {"name": name, "account": "", "amount": 10, "before": before, "held": 1, "after": after, "resets": resets}


def test_limits_follow_their_window():
    def told(number, *marks):
        return number, "request", event(at_ns=DAY, consumer="ann", tier="free", limits=list(marks))

    second = DAY // NS
    state = begin(snapshot())
    state = fold(state, [told(1, mark(0, 1, second + 60)), told(2, mark(3, 4, second + 60))])  # two more are in flight
    limit = state.consumers["ann"].limits["requests/minute", ""]
    assert (limit.used, limit.amount) == (2, 10)
    assert limit.standing(DAY + 59 * NS).used == 2
    assert limit.standing(DAY + 60 * NS).used == 0
    state = fold(state, [told(3, mark(0, 1, second + 120)), told(4, mark(4, 5, second + 60))])  # the last one is late
    assert state.consumers["ann"].limits["requests/minute", ""].used == 1


def test_rings_are_bounded():
    denied = event(at_ns=DAY, consumer="ann", tier="free", deny_reason="rate_limited")
    state = begin(snapshot())
    for start in range(0, REQUESTS + 2000, 1000):
        state = fold(state, [(number, "request", denied) for number in range(start + 1, start + 1001)])
    assert (len(state.requests), len(state.denials)) == (REQUESTS, DENIALS)
    assert state.requests[-1].number == REQUESTS + 2000
    many = [
        (number, "request", event(at_ns=DAY, consumer=f"c{number}", tier="free")) for number in range(1, CONSUMERS + 9)
    ]
    state = fold(begin(snapshot()), many)
    assert len(state.consumers) == CONSUMERS
    assert state.tiers["free"].sums.allowed == len(many)


def test_what_else_is_told():
    state = begin(snapshot())
    state = fold(
        state, [(1, "config", {"changes": [], "more": 0}), (2, "ledger", {"failure": "disk full"}), (3, "news", {})]
    )
    assert (state.writes, state.ledger, state.number) == (1, "disk full", 3)
    assert [kind for kind, _ in state.happened] == ["config", "ledger", "news"]
    state = fold(state, [(4, "ledger", {"failure": None}), (9, "gap", {"missed": 5})])
    assert (state.ledger, state.missed) == (None, 5)


def test_a_new_snapshot_keeps_the_tail():
    state = fold(begin(snapshot()), [(1, "request", event(at_ns=DAY, consumer="ann", tier="free"))])
    again = begin(snapshot(number=9), state)
    assert (len(again.requests), again.number, again.total.allowed) == (1, 9, 0)
    assert again.tiers["free"].requests == state.tiers["free"].requests


def test_attached_is_what_begin_takes(gateway):
    taken = []
    stream = Stream(AdminClient("http://{}:{}".format(*gateway.admin)), taken.append)
    stream.start()
    until(lambda: taken)
    stream.stop()
    assert isinstance(taken[0], Attached)
    assert set(begin(taken[0].document).tiers) >= {"free", "pro"}
