"""Behaviour guards on whole calls: runaways are stopped by the guard that should, honest agents never."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.guard_words import NAMES
from aimon_local.model.guards import Grade, Guards, Ladder
from aimon_local.policy.guards.words import PROBLEM, TELLS
from tests.support.agents import Caller, Conversation, chat
from tests.support.calls import entity

# ---- runaways: each a generator of (document, facts) that goes on as long as it is let


def repeats():
    while True:
        yield chat("What is the weather?"), {}


def tool_repeats():
    talk = Conversation()
    while True:
        yield talk.tool("search", {"q": "x"}, "no results were found"), {}


def ping_pong():
    talk = Conversation()
    while True:
        yield talk.tool("plan", {}, "ask the reviewer first"), {}
        yield talk.tool("review", {}, "ask the planner first"), {}


def handed_over():
    """Two agents that send each other the same words; their histories grow."""
    talk = Conversation()
    while True:
        yield talk.say("please decide", "you decide"), {}
        yield talk.say("it is your turn", "no, it is yours"), {}


def no_progress():
    talk = Conversation()
    for number in range(1000):
        yield talk.tool("search", {"q": f"attempt {number}"}, "no results were found"), {}


def growth():
    text = "x" * 4000
    while True:
        yield chat("Do it.", text), {}
        text += text[: len(text) // 2]


def growth_in_one_message():
    for document, _ in growth():
        yield {"model": "m-1", "messages": [{"role": "user", "content": document["messages"][2]["content"]}]}, {}


def fails():
    for number in range(1000):
        yield chat(f"variant {number}"), {"status": 400}


def one_fails():
    while True:
        yield chat("the same"), {"status": 500}


def spends():
    for number in range(1000):
        yield chat(f"cheap {number}"), {"cost": 10**8, "after": 30.0} if number < 20 else {"cost": 10**9}


def storms():
    while True:
        yield chat("the same"), {"status": 429, "fields": [("Retry-After", "30")], "after": 0.2}


RUNAWAYS = {
    "repeat": repeats,
    "repeat (tool)": tool_repeats,
    "ping_pong": ping_pong,
    "ping_pong (agents)": handed_over,
    "no_progress": no_progress,
    "growth": growth,
    "growth (one message)": growth_in_one_message,
    "errors": fails,
    "errors (one)": one_fails,
    "velocity": spends,
    "storm": storms,
}


def until_denied(caller, runaway, most=60):
    """How many calls it takes until a cool-down begins."""
    steps = runaway()
    for number in range(1, most + 1):
        document, facts = next(steps)
        if (
            caller.call(document, **{"after": 3.0} | facts) == 429
            and getattr(caller.last, "reason", "") == "abnormal_usage"
        ):
            return number
    raise AssertionError(f"not denied: {caller.words[-5:]}")


@pytest.mark.parametrize("name", RUNAWAYS)
def test_a_runaway_is_stopped_by_the_guard_that_should(name):
    caller = Caller()
    until_denied(caller, RUNAWAYS[name])
    guard = name.partition(" ")[0]
    assert caller.actions == [(guard, "warn"), (guard, "throttle"), (guard, "deny")]  # one step after the other, once


@pytest.mark.parametrize("name", RUNAWAYS)
def test_in_shadow_nothing_is_stopped_and_all_is_told(name):
    caller, guard = Caller(Guards(shadow=frozenset(NAMES))), name.partition(" ")[0]
    steps = RUNAWAYS[name]()
    for _ in range(12 if guard == "growth" else 45):
        document, facts = next(steps)
        assert caller.call(document, **{"after": 3.0} | facts) == facts.get("status", 200)
    assert any(f"~{guard}:deny" in words for words in caller.words)
    assert all(each.shadow for each in caller.said)


@pytest.mark.parametrize("name", RUNAWAYS)
def test_what_is_off_says_nothing(name):
    caller = Caller(Guards(off=frozenset(NAMES)))
    steps = RUNAWAYS[name]()
    for _ in range(12 if name.startswith("growth") else 45):
        document, facts = next(steps)
        caller.call(document, **{"after": 3.0} | facts)
    assert not any(caller.words)


# ---- honest agents: they are never throttled or denied


def slow_poller(draw):
    return [(chat("anything new?"), {"after": 61.0})] * draw(st.integers(1, 60))


def changing_poller(draw):
    """It looks again and again, and what it sees changes."""
    talk = Conversation()
    count = draw(st.integers(1, 40))
    return [
        (talk.tool("status", {"job": 7}, f"{number} of {count} parts done"), {"after": 2.0}) for number in range(count)
    ]


def tool_chain(draw):
    talk = Conversation()
    size = draw(st.integers(20, 1000))
    return [
        (talk.tool("read", {"path": f"/src/{number}.py"}, f"{number} " + "code " * (size // 5)), {})
        for number in range(draw(st.integers(1, 60)))
    ]


def writer(draw):
    """It writes files; each time the tool just says that it did."""
    talk = Conversation()
    return [
        (talk.tool("write", {"path": f"/f{number}", "text": "line\n" * 60}, "File written successfully."), {})
        for number in range(draw(st.integers(1, 40)))
    ]


def mender(draw):
    """It edits and runs the tests, in turns."""
    talk, out = Conversation(), []
    for number in range(draw(st.integers(1, 20))):
        out.append((talk.tool("edit", {"line": number}, "ok"), {}))
        out.append((talk.tool("test", {}, f"{50 - number} tests failed"), {}))
    return out


def continues(draw):
    talk = Conversation("Write a novel.")
    return [
        (talk.say(f"Chapter {number}. It went on {'and on ' * 50}", "continue"), {})
        for number in range(draw(st.integers(1, 40)))
    ]


def cron(draw):
    return [(chat("Sum up the news."), {"after": 3600.0})] * draw(st.integers(1, 30))


def embedder(draw):
    sizes = draw(st.lists(st.integers(10, 20_000), min_size=1, max_size=60))
    return [
        ({"model": "m-1", "input": ["x" * size + str(at)]}, {"path": "/v1/embeddings"}) for at, size in enumerate(sizes)
    ]


def spender(draw):
    """Its spend goes up and down, within four times."""
    costs = draw(st.lists(st.integers(10**9, 2 * 10**9), min_size=1, max_size=60))
    return [(chat(f"step {at}"), {"cost": cost, "after": 30.0}) for at, cost in enumerate(costs)]


def mapper(draw):
    """Documents under one question, the shortest first, each half as long again; two conversations would not mix."""
    size, out = 4000, []
    for number in range(draw(st.integers(1, 10))):
        out.append(({"messages": [{"role": "user", "content": f"{'Sum it up. ' * 9} {number}{'x' * size}"}]}, {}))
        size += size // 2
    return out


HONEST = [mapper, slow_poller, changing_poller, tool_chain, writer, mender, continues, cron, embedder, spender]


@pytest.mark.parametrize("agent", HONEST)
@given(data=st.data())
def test_an_honest_agent_is_never_stopped(agent, data):
    caller = Caller()
    for document, facts in agent(data.draw):
        assert caller.call(document, **facts) == 200
    assert caller.stops == []


@settings(max_examples=20)
@given(data=st.data())
def test_nor_are_several_that_share_a_key(data):
    """Their calls come in any order; each keeps its own."""
    chosen = data.draw(
        st.lists(st.sampled_from([tool_chain, writer, mender, continues]), min_size=2, max_size=4, unique=True)
    )
    queues = [agent(data.draw) for agent in chosen]
    caller = Caller()
    while queues:
        queue = data.draw(st.sampled_from(queues))
        document, facts = queue.pop(0)
        assert caller.call(document, **facts | {"after": 0.1}) == 200
        queues = [each for each in queues if each]
    assert caller.stops == []


@given(st.lists(st.integers(10, 40_000), min_size=1, max_size=40))
def test_a_map_reduce_in_parallel_is_never_stopped(sizes):
    caller = Caller()
    begun = [caller.begin(chat(f"Part {at}: {'x' * size}")) for at, size in enumerate(sizes)]
    assert all(outcome is None for _, outcome in begun)
    for call, outcome in begun:
        caller.end(call, outcome)
    caller.call(chat("Join: " + "y" * sum(sizes)))
    assert caller.stops == []


@given(st.integers(1, 40))
def test_samples_of_one_prompt_at_once_are_never_stopped(count):
    for document in (chat("Roll a die."), Conversation().tool("roll", {}, "the die fell from the table")):
        caller = Caller()
        begun = [caller.begin(document) for _ in range(count)]
        assert [caller.end(call, outcome) for call, outcome in begun] == [200] * count


@given(st.integers(10, 40))
def test_nor_are_waves_of_samples(width):
    """Forty samples of one prompt, ``width`` at a time, each wave answered within a second."""
    caller, left = Caller(), 40
    while left > 0:
        begun = [caller.begin(chat("Roll a die.")) for _ in range(min(width, left))]
        for call, outcome in begun:
            caller.now += 10_000_000
            assert caller.end(call, outcome) == 200
        left -= width
        caller.now += 700_000_000


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3)), min_size=1, max_size=20))
def test_a_polite_retrier_is_never_stopped(tasks):
    """Refused some times, each time it waits as long as it was told."""
    caller = Caller()
    for number, (wait, refusals) in enumerate(tasks):
        document = chat(f"task {number}")
        for _ in range(refusals):
            assert caller.call(document, status=429, fields=[("Retry-After", str(wait))]) == 429
            caller.now += wait * 10**9
        assert caller.call(document) == 200
    assert not any(caller.words)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_nor_is_one_whose_upstream_fails_now_and_then(failures):
    caller = Caller()
    for number, failed in enumerate(failures):
        for attempt in range(failed):
            assert caller.call(chat(f"task {number}"), status=500, after=0.5 * 2**attempt) == 500
        assert caller.call(chat(f"task {number}")) == 200
    assert caller.stops == []


def test_twins_that_were_sent_at_once_are_no_storm_but_a_flood_of_them_is():
    def flood(count):
        caller = Caller()
        for _ in range(count):
            caller.call(chat("the same"), status=429, fields=[("Retry-After", "30")], after=0.001)
        return caller

    assert not any(flood(20).words)
    assert ("storm", "deny") in flood(40).actions


def test_requests_that_were_refused_unread_are_not_taken_for_one():
    """Different uploads on a plain route: what they hold was never read."""
    caller = Caller()
    for number in range(60):
        call, outcome = caller.begin(None, path="/upload", method="POST", content_length=1000)
        caller.end(call, outcome, *((429, [("Retry-After", "30")]) if number % 2 else (500, [])))
        caller.now += 10**9
    assert not any(caller.words)


def test_a_loop_around_an_official_client_is_a_storm_though_each_try_is_a_first_one():
    caller = Caller()
    for _ in range(20):
        call, outcome = caller.begin(chat("the same"), fields=[("x-stainless-retry-count", "0")])
        caller.end(call, outcome, 429, [("Retry-After", "30")])
        caller.now += 500_000_000
    assert ("storm", "deny") in caller.actions


def test_workers_that_are_refused_together_are_no_storm():
    """Twenty calls in flight when the limit was full, and official clients that say that each is a first try."""
    caller = Caller()
    for _ in range(3):
        begun = [caller.begin(chat("same"), fields=[("x-stainless-retry-count", "0")]) for _ in range(20)]
        for call, outcome in begun:
            assert caller.end(call, outcome, 429, [("Retry-After", "5")]) == 429
        caller.now += 6 * 10**9
    assert not any(caller.words)


@pytest.mark.parametrize(
    ("pattern", "facts"),
    [
        ("tool:stat*", {}),
        ("model:m-*", {}),
        ("path:/v1/chat/*", {}),
        ("route:ai", {}),
    ],
)
def test_a_poller_that_is_listed_may_poll(pattern, facts):
    caller, talk = Caller(Guards(pollers=("tool:other", pattern))), Conversation()
    for _ in range(40):
        assert caller.call(talk.tool("status", {}, "the job still runs"), **facts) == 200
    assert not any(caller.words)


def test_a_poller_can_be_listed_by_its_fingerprint():
    first = Caller(Guards(repeat=Ladder(1, 0, 0)))
    call, _ = first.begin(chat("poll"))
    mark = call.notes["guard.step"].prompt
    caller = Caller(Guards(pollers=(f"fingerprint:{mark}",)))
    assert [caller.call(chat("poll")) for _ in range(30)] == [200] * 30


# ---- thresholds


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=40),
    st.sampled_from(["repeat", "ping_pong", "no_progress"]),
    st.integers(1, 12),
    st.integers(0, 8),
)
def test_a_stricter_threshold_never_fires_later(letters, guard, strict, more):
    def first(threshold):
        caller = Caller(Guards(**{guard: Ladder(0, 0, threshold)}, off=frozenset(set(NAMES) - {guard})))
        talk = Conversation()
        for at, letter in enumerate(letters):
            tool = talk.tool("look", {"n": at if guard == "no_progress" else letter}, f"result {letter}")
            if caller.call(chat(letter) if guard == "repeat" else tool) == 429:
                return at
        return len(letters)

    assert first(strict) <= first(strict + more)


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(0, 50))
def test_grades_grow_with_the_count(count, warn, throttle, deny):
    ladder = Ladder(warn, warn + throttle, warn + throttle + deny)
    assert ladder.grade(count) <= ladder.grade(count + 1)
    assert Ladder(0, 0, 0).grade(count) is Grade.CALM


# ---- what is done


def test_warn_is_a_header():
    caller = Caller()
    for _ in range(3):
        caller.call(chat("again"))
    assert (b"X-Aimon-Warning", b"repeat; count=3; action=warn") in caller.last.reply_fields


def test_a_throttled_caller_that_waits_goes_on():
    caller = Caller(Guards(repeat=Ladder(0, 3, 0)))
    assert [caller.call(chat("again"), after=0.5) for _ in range(5)] == [200, 200, 200, 429, 429]
    fields = dict(caller.last.fields)
    assert (fields[b"Retry-After"], fields[b"retry-after-ms"]) == (b"1", b"1000")
    assert b"x-should-retry" not in fields
    assert caller.call(chat("again"), after=1.0) == 200


def test_a_cool_down_ends_with_silence_and_not_before():
    caller = Caller()
    until_denied(caller, repeats)
    assert caller.call(chat("something else"), after=59.0) == 429  # each call begins it anew
    assert caller.words[-1] == "repeat:cool-down"
    assert dict(caller.last.fields)[b"Retry-After"] == b"60"
    assert caller.call(chat("something else"), after=59.0) == 429
    assert caller.call(chat("something else"), after=60.0) == 200
    assert caller.actions[-1] == ("repeat", "recover")
    assert caller.call(chat("What is the weather?")) == 200  # it is forgiven


def test_what_an_agents_cool_down_denies_is_in_the_ledger_as_the_agents():
    caller = Caller()
    until_denied(caller, repeats)
    caller.agents["bot"] = entity(name="bot-agent", owner="acme")
    call, _ = caller.begin(chat("something else"))
    assert (call.notes["ai"].agent, call.notes["ai"].owner, call.notes["ai"].tier) == ("bot-agent", "acme", "agent")


def test_another_caller_is_not_touched():
    caller = Caller()
    until_denied(caller, repeats)
    other = Caller(state=caller.state, name="other")
    assert other.call(chat("What is the weather?")) == 200


def test_a_restart_does_not_end_a_cool_down():
    caller = Caller()
    steps = repeats()
    while True:
        caller.now += 3 * 10**9
        call, outcome = caller.begin(next(steps)[0])
        caller.end(call, outcome)
        if outcome is not None and outcome.reason == "abnormal_usage":
            break
    after = Caller()
    after.state.load(call.touched)
    after.now = caller.now
    assert after.call(chat("something else"), after=1.0) == 429
    assert after.words == ["repeat:cool-down"]
    assert after.call(chat("something else"), after=61.0) == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_the_refusal_on_ai_routes_is_the_providers_own(path):
    caller = Caller(Guards(repeat=Ladder(0, 0, 2)))
    caller.call(chat("again"), path=path)
    assert caller.call(chat("again"), path=path) == 429
    error = json.loads(caller.last.body)["error"]
    assert error["aimon"] == {"guard": "repeat"}
    assert dict(caller.last.fields)[b"x-should-retry"] == b"false"
    if path == "/v1/messages":
        assert error["type"] == "rate_limit_error"
    else:
        assert (error["type"], error["code"]) == ("abnormal_usage", "agent_loop_detected")


def test_the_refusal_on_plain_routes_is_a_problem():
    caller = Caller(Guards(errors=Ladder(0, 0, 2)))
    caller.call(None, path="/things", status=404)
    caller.call(None, path="/things", status=404)
    assert caller.call(None, path="/things") == 429
    assert caller.last.content_type == b"application/problem+json"
    problem = json.loads(caller.last.body)
    assert (problem["type"], problem["status"], problem["violated-policies"]) == (PROBLEM, 429, ["errors"])


def test_every_guard_has_its_words():
    assert set(TELLS) == set(NAMES)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_document_breaks_them(value):
    caller = Caller()
    for document in ({"messages": value}, {"input": value}, {"messages": [value, {"role": "tool", "content": value}]}):
        assert caller.call(document) == 200
