"""correlation-id: what the upstream gets, what the client hears."""

import pytest

from aimon_local.policy.plugins.correlation_id import PLUGIN
from tests.support.calls import NOON, compile_rule, make_call, make_draft, pairs

FIRST = "00000000-0000-4000-8000-000000000001"


def run(rule, fields=(), **facts):
    call, draft = make_call(fields=fields, **facts), make_draft(fields=[("X-Correlation", "upstream's own")])
    assert rule.access(call) is None
    rule.response(call, draft)
    return pairs(call.fields), pairs(draft.fields)


def test_counter_counts_from_one_under_one_uuid():
    rule = compile_rule(PLUGIN)
    assert run(rule)[0] == [("Kong-Request-ID", f"{FIRST}#1")]
    assert run(rule)[0] == [("Kong-Request-ID", f"{FIRST}#2")]


def test_uuid_is_fresh_per_request():
    rule, call = compile_rule(PLUGIN, {"generator": "uuid"}), make_call()
    rule.access(call)
    again = make_call(tools=call.tools)
    rule.access(again)
    assert [pairs(c.fields)[0][1][-1] for c in (call, again)] == ["1", "2"]


def test_tracker_tells_the_place_and_the_time():
    facts = {"now_ns": NOON * 10**9 + 7_654_321, "server_ip": "10.0.0.9", "process_id": 77}
    fields, _ = run(compile_rule(PLUGIN, {"generator": "tracker"}), connection=5, connection_requests=3, **facts)
    assert fields == [("Kong-Request-ID", f"10.0.0.9-8000-77-5-3-{NOON}.007")]


@pytest.mark.parametrize(
    ("sent", "upstream", "heard"),
    [
        ([], [FIRST], FIRST),
        (["mine"], ["mine"], "mine"),
        ([""], [FIRST], FIRST),
        (["a", "b"], ["a", "b"], "a"),
    ],
)
def test_a_clients_own_value_is_kept_and_echoed(sent, upstream, heard):
    config = {"header_name": "X-Correlation", "generator": "uuid", "echo_downstream": True}
    fields, answer = run(compile_rule(PLUGIN, config), [("x-correlation", value) for value in sent])
    assert [value for _, value in fields] == upstream
    assert answer == [("X-Correlation", heard)]


def test_without_echo_the_answer_is_left_alone():
    _, answer = run(compile_rule(PLUGIN, {"header_name": "X-Correlation"}))
    assert answer == [("X-Correlation", "upstream's own")]


def test_a_request_refused_before_its_access_is_not_echoed():
    draft = make_draft(401, from_upstream=False)
    compile_rule(PLUGIN, {"echo_downstream": True}).response(make_call(), draft)
    assert draft.fields == []


def test_a_name_that_is_none_is_never_sent():
    for name in ("a b", "x:y", "x\r\ny"):
        fields, answer = run(compile_rule(PLUGIN, {"header_name": name, "echo_downstream": True}))
        assert fields == []
        assert answer == [("X-Correlation", "upstream's own")]
    assert run(compile_rule(PLUGIN, {"header_name": None}))[0][0][0] == "Kong-Request-ID"
