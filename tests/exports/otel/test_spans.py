"""Spans and measurements of fixed rows; every name that a convention has is spelled as its own package spells it."""

import warnings
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.exports.otel import MEASURES, Place, points, spans
from aimon_local.metering.dialects import TABLE
from aimon_local.model.ai import AiRecord
from tests.support.ledger import usage_row

START = 1_795_521_600_000_000_000
PLACE = Place("ai-route", "/ai", "llm", "api.example", 443)


def a_row(**changes):
    facts = {
        **{"at_ns": START, "method": "POST", "status": 200, "decision": "allow", "deny_reason": None},
        **{"complete": True, "upstream_status": 200, "gateway_us": 300, "upstream_us": 900, "total_us": 2000},
        **{"consumer": "ann", "tier": "pro", "bytes_in": 10, "bytes_out": 20, "shift_ns": 0},
    }
    return usage_row(1, **{**facts, **changes})


def an_ai(**changes):
    facts = AiRecord(
        *("openai.chat", "pro", "gpt-4o-mini", "gpt-4o-mini-2024", True, 90, 90, 100, 0),
        **{"input": 70, "cache_read": 20, "cache_write": 5, "output": 40, "reasoning": 8, "cost": 1_500_000},
        **{"charge": 2_000_000, "source": "reported", "complete": True, "finish_reason": "stop"},
    )
    return facts._replace(**changes)


def test_a_plain_request_is_one_span_with_the_row_s_times():
    (span,) = spans(a_row(shift_ns=5_000), None, PLACE)
    assert (span.name, span.kind, span.error) == ("POST /ai", "SERVER", None)
    assert (span.start, span.end) == (START - 5_000, START - 5_000 + 2_000_000)
    assert span.attributes == {
        **{"http.request.method": "POST", "http.response.status_code": 200, "http.route": "/ai", "url.scheme": "http"},
        **{"http.request.body.size": 10, "http.response.body.size": 20, "aimon.request_id": f"{1:032x}"},
        **{"aimon.decision": "allow", "aimon.route": "ai-route", "aimon.service": "llm", "aimon.tier": "pro"},
        "enduser.id": "ann",
    }


def test_an_ai_call_has_a_child_with_the_provider_s_side():
    server, call = spans(a_row(), an_ai(), PLACE)
    assert (call.name, call.kind) == ("chat gpt-4o-mini", "CLIENT")
    assert (call.start, call.end) == (START + 300_000, server.end)
    assert call.attributes == {
        **{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.stream": True},
        **{"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": "gpt-4o-mini-2024"},
        **{"gen_ai.usage.input_tokens": 95, "gen_ai.usage.output_tokens": 48},
        **{"gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.usage.cache_creation.input_tokens": 5},
        **{"gen_ai.usage.reasoning.output_tokens": 8, "gen_ai.response.finish_reasons": ("stop",)},
        **{"server.address": "api.example", "server.port": 443, "aimon.usage.source": "reported"},
        **{"aimon.cost_usd": 0.0015, "aimon.charge_usd": 0.002},
    }
    assert "gen_ai.usage.input_tokens" not in server.attributes  # or whoever sums over spans counts twice


def test_a_refused_ai_call_asked_no_provider():
    row = a_row(status=429, decision="deny", deny_reason="tokens/minute", upstream_status=None)
    (span,) = spans(row, an_ai(source="none", denied_limit="tokens/minute"), PLACE)
    assert span.error is None  # what is the client's fault is none of the server's, by the convention
    assert span.attributes["aimon.deny_reason"] == span.attributes["aimon.denied_limit"] == "tokens/minute"
    assert span.attributes["gen_ai.request.model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("changes", "server", "call"),
    [
        ({"status": 502, "upstream_status": 500}, "502", "500"),
        ({"status": 400, "upstream_status": 400}, None, "400"),
        ({"complete": False}, "incomplete", "incomplete"),
        ({"status": 0, "complete": False}, "incomplete", "incomplete"),
    ],
)
def test_what_failed_is_said_of_the_side_that_failed(changes, server, call):
    first, second = spans(a_row(**changes), an_ai(), PLACE)
    assert (first.error, first.attributes.get("error.type")) == (server, server)
    assert (second.error, second.attributes.get("error.type")) == (call, call)
    assert first.attributes.get("http.response.status_code") == (changes.get("status", 200) or None)


def test_a_method_of_no_standard_is_no_name_of_a_series():
    (span,) = spans(a_row(method="BREW"), None, Place())
    assert (span.name, span.attributes["http.request.method"]) == ("HTTP", "_OTHER")


def test_an_agent_and_its_run_are_told():
    (span, _) = spans(a_row(), an_ai(agent="bot", owner="ann", run="run-7", guard="repeat:warn"), PLACE)
    told = {name: span.attributes[name] for name in ("gen_ai.agent.name", "aimon.agent.owner", "aimon.agent.run")}
    assert told == {"gen_ai.agent.name": "bot", "aimon.agent.owner": "ann", "aimon.agent.run": "run-7"}
    assert span.attributes["aimon.guard"] == "repeat:warn"


@pytest.mark.parametrize("dialect", sorted({dialect.name for _, dialect in TABLE}))
def test_every_dialect_has_an_operation(dialect):
    _, call = spans(a_row(), an_ai(dialect=dialect), PLACE)
    known = {"chat", "text_completion", "embeddings", "count_tokens"}
    assert call.attributes["gen_ai.operation.name"] in known
    assert call.attributes["gen_ai.provider.name"] in ("openai", "anthropic")


def test_measurements_of_an_ai_call():
    found = [(point.measure, point.value, point.attributes) for point in points(a_row(), an_ai(), PLACE)]
    key = {
        **{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"},
        **{"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": "gpt-4o-mini-2024"},
    }
    web = {"http.request.method": "POST", "http.response.status_code": 200, "url.scheme": "http", "http.route": "/ai"}
    assert found == [
        ("http.server.request.duration", 0.002, web),
        ("gen_ai.client.operation.duration", 0.0017, key),
        ("gen_ai.server.request.duration", 0.002, key),
        ("gen_ai.client.token.usage", 95, {**key, "gen_ai.token.type": "input"}),
        ("gen_ai.client.token.usage", 48, {**key, "gen_ai.token.type": "output"}),
        ("aimon.cost", 0.0015, {**key, "aimon.tier": "pro"}),
        ("aimon.charge", 0.002, {**key, "aimon.tier": "pro"}),
    ]


def test_measurements_of_a_refusal():
    row = a_row(status=429, decision="deny", deny_reason="requests/day", upstream_status=None)
    found = list(points(row, an_ai(source="none"), PLACE))
    assert [point.measure for point in found] == ["http.server.request.duration", "aimon.requests.denied"]
    assert found[1].attributes == {"aimon.deny_reason": "requests/day", "aimon.tier": "pro"}


ROWS = st.builds(
    a_row,
    status=st.sampled_from([0, 200, 404, 429, 503]),
    upstream_status=st.sampled_from([None, 200, 429, 500]),
    complete=st.booleans(),
    gateway_us=st.integers(0, 5000),
    total_us=st.integers(0, 5000),
    method=st.sampled_from(["GET", "POST", "FOO"]),
    consumer=st.none() | st.text(),
    tier=st.none() | st.text(),
)
AIS = st.none() | st.builds(
    an_ai, dialect=st.sampled_from(["", "openai.chat"]), model=st.text(), source=st.sampled_from(["none", "estimated"])
)


@given(ROWS, AIS, st.sampled_from([Place(), PLACE, replace(PLACE, port=None)]))
def test_whatever_the_row_no_span_ends_before_it_begins_and_no_value_is_empty(row, ai, place):
    found = spans(row, ai, place)
    assert len(found) in (1, 2)
    for span in found:
        assert found[0].start <= span.start <= span.end <= found[0].end
        assert all(value is not None and value != "" for value in span.attributes.values())
    for point in points(row, ai, place):
        assert point.value >= 0
        assert point.measure in MEASURES


def test_names_are_those_of_the_conventions():
    """All but our own are in the package of the semantic conventions, letter by letter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package marks what is in development
        from opentelemetry.semconv._incubating.attributes import (  # noqa: PLC0415
            enduser_attributes,
            error_attributes,
            gen_ai_attributes,
            http_attributes,
            server_attributes,
            url_attributes,
        )
        from opentelemetry.semconv._incubating.metrics import gen_ai_metrics, http_metrics  # noqa: PLC0415
    homes = (
        *(enduser_attributes, error_attributes, gen_ai_attributes, http_attributes, server_attributes, url_attributes),
        *(gen_ai_metrics, http_metrics),
    )
    known = {value for home in homes for value in vars(home).values() if isinstance(value, str)}
    row, ai = a_row(complete=False), an_ai(agent="bot", owner="ann", run="r")
    used = {name for span in spans(row, ai, PLACE) for name in span.attributes}
    used |= {name for point in points(row, ai, PLACE) for name in point.attributes} | set(MEASURES)
    assert {name for name in used if not name.startswith("aimon.")} - known == set()
