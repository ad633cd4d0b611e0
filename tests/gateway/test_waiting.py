"""A busy service: who waits, who goes, who is told to come again, and that each slot comes back exactly once."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.clock import ManualClock
from aimon_local.gateway.waiting import Waiting
from aimon_local.policy.nouns import Service
from aimon_local.policy.queueing import Lane
from tests.support.stage import BUFFER, Stage, Timers, make_answer, make_failure

ONE = {"tags": ["upstream_concurrency=1"]}
CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}).encode()


def stage_of(*plugins, tiers=None, **service):
    """A service that bears one request at once; ``tiers``: fields by name, each with a consumer and key of its name."""
    entities = []
    for name, fields in (tiers or {}).items():
        entities += [
            ("consumers", {"username": name}),
            ("keyauth_credentials", {"key": name, "consumer": {"username": name}}),
            ("consumer_groups", {"name": name}),
            ("consumer_group_consumers", {"consumer_group": {"name": name}, "consumer": {"username": name}}),
            ("tiers", {"name": name, **fields}),
        ]
    if tiers:
        entities.append(("model_prices", {"model": "*", "input": 1, "output": 1}))
        plugins += (("key-auth", {}),)
    return Stage(*plugins, entities=entities, **(ONE | service))


def free(stage):
    """(in flight, waiting) of the only service."""
    line = next(iter(stage.waiting._lines.values()))
    return line.queue.in_flight, line.queue.waiting


def message(stage):
    return json.loads(stage.said[-1][2])["message"]


def used(stage, consumer):
    subject = stage.live.snapshot.consumer_by_name(consumer).id
    return {s.name: s.used for s in stage.live.state.accounts.find(subject).statuses(stage.clock.now_ns())}


def test_without_a_bound_nothing_is_looked_at():
    stage = Stage()
    assert stage.waiting.bounds == {}
    exchange = stage.ask()
    exchange.on_body(b"", True)
    assert (exchange.turn, stage.waiting._lines) == (None, {})


def test_the_next_goes_when_the_first_is_through():
    stage = stage_of()
    first, second = stage.ask(target="/r/1"), stage.ask(target="/r/2")
    for each in (first, second):
        each.on_body(b"", True)
    assert stage.take() == [("send", "/base/1", b"", None)]
    first.on_head(make_answer(200, 2), b"o", False)
    assert stage.take() == [("start", 200, 2, b"o")]
    first.on_data(b"k", True)
    assert stage.take() == [("send", "/base/2", b"", None), ("row", 200, True), ("end", b"k")]
    assert (free(stage), stage.timers.open) == ((1, 0), [])
    second.on_head(make_answer(200, 0), b"", True)
    assert free(stage) == (0, 0)


@pytest.mark.parametrize(
    "end",
    [
        lambda exchange: exchange.on_head(make_answer(500, 0), b"", True),
        lambda exchange: exchange.on_failure(make_failure(sent=True)),
        lambda exchange: (exchange.on_head(make_answer(200, 5), b"a", False), exchange.on_failure(make_failure(sent=True))),
        lambda exchange: exchange.on_gone(),
        lambda exchange: (exchange.on_head(make_answer(200, 5), b"a", False), exchange.on_gone()),
        lambda exchange: (exchange.on_head(make_answer(101), b"", False), exchange.on_data(b"", True)),
        lambda exchange: (exchange.on_head(make_answer(101), b"", False), exchange.on_gone()),
        lambda exchange: (exchange.on_head(make_answer(101), b"", False), exchange.on_failure(make_failure(sent=True))),
    ],
)  # fmt: skip
def test_a_slot_comes_back_once_however_the_exchange_ends(end):
    stage = stage_of(retries=0)
    first, second, third = (stage.ask(target=f"/r/{each}") for each in (1, 2, 3))
    end(first)
    first.on_gone()
    assert free(stage) == (1, 1)
    assert [each[1] for each in stage.take() if each[0] == "send"] == ["/base/1", "/base/2"]
    second.on_gone()
    third.on_gone()
    assert free(stage) == (0, 0)
    assert len(stage.ledger.rows) == 3


def test_a_tunnel_keeps_its_slot():
    stage = stage_of()
    first = stage.ask()
    first.on_head(make_answer(101), b"", False)
    stage.ask()
    assert free(stage) == (1, 1)


def test_a_full_queue_says_come_again():
    stage = stage_of()
    for _ in range(3):
        stage.ask()
    stage.take()
    stage.ask()
    assert [each[:2] for each in stage.said] == [("row", 429), ("respond", 429)]
    assert message(stage) == "Too many requests are waiting for this service"
    assert {b"Retry-After: 3", b"retry-after-ms: 3000"} <= set(stage.lines)
    assert [(row.decision, row.deny_reason) for row in stage.ledger.rows] == [("deny", "queue_full")]
    assert free(stage) == (1, 2)


def test_a_wait_that_is_too_long_ends():
    stage = stage_of()
    stage.ask()
    waits = stage.ask()
    stage.take()
    assert [seconds for seconds, _ in stage.timers.open] == [5]
    stage.timers.run()
    assert [each[:2] for each in stage.take()] == [("row", 503), ("respond", 503)]
    assert b"Retry-After: 1" in stage.lines
    assert free(stage) == (1, 0)
    waits.on_gone()
    assert stage.take() == []
    assert stage.ledger.rows[0].deny_reason == "queue_timeout"


def test_whoever_leaves_the_queue_has_not_been_there():
    stage = stage_of()
    first = stage.ask()
    waits = stage.ask()
    stage.take()
    waits.on_gone()
    assert stage.take() == [("row", 499, False)]
    assert (free(stage), stage.timers.open) == ((1, 0), [])
    assert stage.ledger.rows[0].deny_reason == "queue_left"
    first.on_head(make_answer(200, 0), b"", True)
    assert [each[0] for each in stage.take()] == ["row", "respond"]


TIERS = {
    "free": {"priority": 1, "limits": [{"unit": "requests", "amount": 9, "period": "day"}], "queue_s": 2},
    "pro": {"priority": 8, "limits": [{"unit": "tokens", "amount": 999, "period": "day"}], "concurrency": 3},
}


def chat(stage, key, end="1"):
    exchange = stage.ask("POST", f"/r/{end}/v1/chat/completions", [("apikey", key)], length=len(CHAT))
    exchange.on_body(CHAT, True)
    return exchange


def test_what_waits_holds_its_limits_and_gets_them_back_when_it_is_not_served():
    stage = stage_of(tiers=TIERS)
    running = chat(stage, "pro")
    late, gone = chat(stage, "free"), chat(stage, "pro")
    assert used(stage, "free") == {"requests/day": 1}
    held = used(stage, "pro")["tokens/day"] // 2
    assert used(stage, "pro") == {"tokens/day": 2 * held, "concurrency": 2}
    assert sorted(seconds for seconds, _ in stage.timers.open) == [2, 5]
    gone.on_gone()
    assert used(stage, "pro") == {"tokens/day": held, "concurrency": 1}
    stage.timers.run()
    assert used(stage, "free") == {"requests/day": 0}
    assert stage.said[-1][:2] == ("respond", 503)
    error = json.loads(stage.said[-1][2])["error"]
    assert error == {"message": "The service is busy", "type": "server_error", "param": None, "code": "service_busy"}
    assert late.status == 503
    running.on_head(make_answer(503, 0), b"", True)
    assert used(stage, "pro") == {"tokens/day": 0, "concurrency": 0}


def test_pro_goes_before_a_flood_of_free():
    stage = stage_of(tiers=TIERS)
    running = chat(stage, "free")
    for end in "abc":  # one too many for the queue
        chat(stage, "free", end)
    pro = chat(stage, "pro", "p")
    stage.take()
    running.on_head(make_answer(500, 0), b"", True)
    assert stage.take()[0][:2] == ("send", "/base/p/v1/chat/completions")
    pro.on_head(make_answer(500, 0), b"", True)
    assert stage.take()[0][:2] == ("send", "/base/a/v1/chat/completions")


def test_a_body_that_streams_waits_at_the_client():
    stage = stage_of()
    first = stage.ask()
    second = stage.ask("POST", length=BUFFER * 3)
    stage.take()
    second.on_body(b"a" * BUFFER, False)
    assert stage.take() == []
    second.on_body(b"b", False)
    assert stage.take() == [("pause",)]
    first.on_head(make_answer(200, 0), b"", True)
    assert stage.take()[:4] == [
        ("resume",), ("send", "/base/x", None, BUFFER * 3), ("want",), ("up", b"a" * BUFFER + b"b"),
    ]  # fmt: skip
    second.on_body(b"c" * (BUFFER * 2 - 1), True)
    assert stage.take() == [("up", b"c" * (BUFFER * 2 - 1)), ("up end",)]


def test_a_body_that_is_whole_before_its_turn_and_one_that_spilled():
    stage = stage_of(route={"request_buffering": False})
    first, second = stage.ask(), stage.ask("POST", length=2)
    second.on_body(b"ab", True)
    stage.take()
    first.on_gone()
    assert stage.take()[1:5] == [("send", "/base/x", None, 2), ("want",), ("up", b"ab"), ("up end",)]
    stage = stage_of()
    first, second = stage.ask(), stage.ask("POST", chunked=True)
    second.on_body(b"a" * (BUFFER + 1), False)
    second.on_body(b"b", True)
    stage.take()
    first.on_gone()
    assert [each for each in stage.take() if each[0] == "up"] == [("up", b"a" * (BUFFER + 1) + b"b")]


def test_a_body_that_grows_too_large_while_it_waits_is_refused():
    stage = stage_of(("request-size-limiting", {"allowed_payload_size": BUFFER * 2, "size_unit": "bytes"}))
    stage.ask()
    waits = stage.ask("POST", chunked=True)
    waits.on_body(b"a" * (BUFFER * 2), False)
    stage.take()
    waits.on_body(b"a", False)
    assert [each[:2] for each in stage.take()] == [("row", 413), ("respond", 413)]
    assert free(stage) == (1, 0)


def test_many_that_fail_at_once_end_one_after_the_other():
    """Each turn that ends at once makes the next one begin: no call within a call within a call."""
    stage = stage_of()
    stage.waiting._most = 2000
    first = stage.ask()
    for _ in range(1500):
        stage.ask()
    stage.runtime.destinations = SimpleNamespace(choose=lambda call, tried: None)  # no target any more
    first.on_gone()
    assert free(stage) == (0, 0)
    assert sorted(row.status for row in stage.ledger.rows) == [499] + [503] * 1500


def test_an_exchange_that_fails_on_its_turn_is_told_and_holds_nothing(caplog):
    stage = stage_of()
    first, second, third = (stage.ask(target=f"/r/{each}") for each in (1, 2, 3))
    second.due = ()  # a fault of our own
    stage.take()
    first.on_gone()
    assert [(row.status, row.deny_reason) for row in stage.ledger.rows] == [(500, None), (499, None)]
    assert [each[1] for each in stage.take() if each[0] == "send"] == ["/base/3"]
    assert free(stage) == (1, 0)
    assert third.turn is not None
    assert [record.message for record in caplog.records] == ["an exchange failed when its turn came"]


# ---- bounds


def service(name, *tags):
    return Service(name, name, "http", "h", 80, None, 1.0, 1.0, 1.0, 5, None, tags, b"h")


class Someone:
    """A waiter that writes down."""

    def __init__(self):
        self.said = []

    def on_turn(self):
        self.said.append("turn")

    def on_no_turn(self, stop):
        self.said.append(stop.status)


def test_a_tag_goes_before_the_setting():
    waiting = Waiting(ManualClock(), bound=7)
    assert (
        waiting.sync(
            [service("a", "x", "upstream_concurrency=3"), service("b", "upstream_concurrency=0"), service("c")]
        )
        == []
    )
    assert waiting.bounds == {"a": 3, "c": 7}


@pytest.mark.parametrize("tag", ["", "-1", "1.5", "two", "1000001", "\u0661", " 1"])
def test_a_tag_that_says_nothing_is_said(tag):
    waiting = Waiting(ManualClock(), bound=7)
    assert len(waiting.sync([service("a", f"upstream_concurrency={tag}")])) == 1
    assert waiting.bounds == {"a": 7}
    assert waiting.sync([service("a", f"upstream_concurrency={tag}")]) == []  # said once
    assert Waiting(ManualClock()).sync([service("a", "upstream_concurrency=1", "upstream_concurrency=2")]) == [
        "service a: tag upstream_concurrency=1, 2 is not one number from 0 to 1000000; "
        "the gateway's own bound holds (none)"
    ]


def test_a_bound_that_rises_or_goes_lets_them_go():
    timers = Timers()
    waiting = Waiting(ManualClock(), later=timers.later)
    waiting.sync([one := service("a", "upstream_concurrency=1")])
    people = [Someone() for _ in range(5)]
    turns = [waiting.ask(one, Lane("t"), each) for each in people]
    waiting.sync([service("a", "upstream_concurrency=3")])
    assert [each.said for each in people] == [[], ["turn"], ["turn"], [], []]
    waiting.sync([service("a")])
    assert [each.said for each in people] == [[], ["turn"], ["turn"], ["turn"], ["turn"]]
    assert timers.open == []
    for turn in turns:
        turn.end()
    assert waiting.ask(service("a"), None, Someone()) is None
    waiting.sync([])
    assert waiting._lines == {}


def test_how_services_stand():
    waiting, one = Waiting(ManualClock(), later=Timers().later), service("a", "upstream_concurrency=1")
    services = [one, service("b"), service("c", "upstream_concurrency=5")]
    waiting.sync(services)
    for tier in ("t", "t", "t", "u"):
        waiting.ask(one, Lane(tier), Someone())
    assert waiting.standing(services) == [("a", 1, 1, {"t": 2, "u": 1}), ("c", 5, 0, {})]


STEPS = st.lists(st.tuples(st.sampled_from(["ask", "end", "gone", "late", "bound"]), st.integers(0, 30)), max_size=120)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_each_is_told_once_and_the_bound_holds(steps):
    timers, people, bound = Timers(), [], 2
    waiting = Waiting(ManualClock(), most=4, later=timers.later)
    waiting.sync([one := service("a", "upstream_concurrency=2")])
    for step, number in steps:
        if step == "ask":
            person = Someone()
            person.turn = waiting.ask(one, Lane(f"t{number % 3}", 1 + number), person)
            people += [person] if hasattr(person.turn, "waits") else []
        elif step == "late":
            timers.run()
        elif step == "bound":
            bound = 1 + number % 4
            waiting.sync([one := service("a", f"upstream_concurrency={bound}")])
        elif people:
            people[number % len(people)].turn.end()
        assert all(len(each.said) <= 1 for each in people)
        queue = waiting._lines["a"].queue if waiting._lines else None
        assert queue is None or not queue.waiting or queue.in_flight >= bound
        assert queue is None or queue.waiting == len(waiting._lines["a"].turns) == len(timers.open)
    for person in people:
        person.turn.end()
    assert timers.open == []
    assert not waiting._lines or (waiting._lines["a"].queue.in_flight, waiting._lines["a"].turns) == (0, {})
