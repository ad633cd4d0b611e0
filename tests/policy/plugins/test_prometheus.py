"""prometheus: what it orders, and what its schema takes."""

from aimon_local.model.ai import AiRecord
from aimon_local.policy.ai_rule import NOTE
from aimon_local.policy.plugins.prometheus import PLUGIN
from tests.support.calls import compile_rule, entity, make_call
from tests.support.plugins import OUTLINE, stored

ROUTED = entity(service=entity(name="svc", host="h"), route=entity(name="rt", id="r-1"))


def ordered(config, match=ROUTED, **facts):
    return compile_rule(PLUGIN, config).log(make_call(match=match, **facts), OUTLINE)


def test_prometheus_names_service_and_route_as_kong():
    bare = entity(service=entity(name=None, host="h"), route=entity(name=None, id="r-1"))
    order = ordered({})
    assert order.sink == "metrics"
    assert (order.entry["service"], order.entry["route"], order.entry["source"]) == ("svc", "rt", "service")
    order = ordered({}, match=bare)
    assert (order.entry["service"], order.entry["route"]) == ("h", "r-1")


def test_prometheus_counts_routes_without_a_service_but_nothing_without_a_route():
    order = ordered({}, match=entity(service=None, route=entity(name="rt", id="r-1")))
    assert (order.entry["service"], order.entry["route"]) == ("", "rt")
    assert ordered({}, match=None) is None


def test_prometheus_tells_consumers_only_where_it_shall():
    bob = entity(username="bob")
    assert ordered({}, consumer=bob).entry["consumer"] == ""
    assert ordered({"per_consumer": True}, consumer=bob).entry["consumer"] == "bob"
    assert ordered({"per_consumer": True}).entry["consumer"] == ""


def test_prometheus_config():
    assert set(stored(PLUGIN, {}).values()) == {False}
    assert stored(PLUGIN, {"nope": 1}) == "schema violation (config.nope: unknown field)"
    assert stored(PLUGIN, {"per_consumer": "x"}) == "schema violation (config.per_consumer: expected a boolean)"


def test_prometheus_tells_of_ai_calls_only_where_it_shall():
    call = make_call()
    call.match = entity(route=entity(id="r", name="ai"), service=None)
    record = AiRecord("openai.chat", "free", "m", None, False, 1, 2, 3, 4)
    call.notes[NOTE] = record
    told = [compile_rule(PLUGIN, {"ai_metrics": on}).log(call, OUTLINE).entry["ai"] for on in (True, False)]
    assert told == [record._asdict(), None]
