"""Recognising steps: in order, by what the gateway knows, and with a reason for what went wrong."""

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.lesson import read
from aimon_local.policy.lab import Progress, advance

HEAD = {"why": "w", "run": "r", "look": "l"}
LESSON = read(
    "x",
    {
        "title": "T",
        "about": "A",
        "steps": [
            {**HEAD, "title": "one", "done": {"event": "config", "kind": "services", "op": "put", "name": "s"}},
            {**HEAD, "title": "two", "done": {"event": "request", "route": "r", "status": 200}, "times": 2},
            {
                **HEAD,
                "title": "three",
                "done": {"event": "request", "route": "r", "deny_reason": "rate_*"},
                "hints": [{"when": {"event": "request", "status": 401}, "say": "give the key"}],
            },
        ],
    },
)
SERVICE = {"event": "config", "kind": "services", "op": "put", "name": "s"}
GOOD = {"event": "request", "route": "r", "status": 200, "deny_reason": None, "request_id": "q1"}
LIMITED = {"event": "request", "route": "r", "status": 429, "deny_reason": "rate_limited", "request_id": "q2"}


def after(*facts):
    progress = Progress()
    for fact in facts:
        progress = advance(LESSON, progress, fact)
    return progress


def test_steps_come_in_order_and_as_often_as_they_want():
    assert after(GOOD, LIMITED) == Progress()  # neither counts before the service is there
    assert after(SERVICE, GOOD) == Progress(1, 1)
    assert after(SERVICE, GOOD, GOOD) == Progress(2)
    assert after(SERVICE, GOOD, GOOD, LIMITED) == Progress(3)
    assert after(SERVICE, GOOD, GOOD, LIMITED, GOOD, SERVICE) == Progress(3)


def test_a_refused_call_is_told_by_its_reason_and_its_id():
    found = after(SERVICE, {**LIMITED})
    assert found.why is not None
    assert found.why.startswith("the call was answered 429: rate_limited: rate-limiting: ")
    assert found.request_id == "q2"
    assert after(SERVICE, LIMITED, GOOD).why is None  # what went right since then is what counts


def test_other_routes_are_none_of_its_business():
    assert after(SERVICE, {**LIMITED, "route": "another"}) == Progress(1)


def test_another_status_and_another_name_are_told():
    assert after(SERVICE, {**GOOD, "status": 502}).why == "the call was answered 502; this step wants 200"
    assert after({**SERVICE, "name": "t"}).why == "its name is t; this step wants s"
    assert after({**SERVICE, "kind": "routes"}).why is None


def test_a_hint_goes_first():
    unknown = {"event": "request", "route": "r", "status": 401, "deny_reason": "no_key", "request_id": "q"}
    assert after(SERVICE, GOOD, GOOD, unknown).why == "give the key"


facts = st.lists(st.sampled_from([SERVICE, GOOD, LIMITED, {"event": "admin", "path": "/x"}, {"event": "clock"}]))


@given(facts)
def test_progress_never_goes_back(seen):
    progress = Progress()
    for fact in seen:
        then = advance(LESSON, progress, fact)
        assert (then.step, then.seen) >= (progress.step, progress.seen) or then.step > progress.step
        progress = then
    assert 0 <= progress.step <= 3
