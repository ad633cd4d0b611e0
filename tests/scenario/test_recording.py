"""What is recorded reads as a script, and says when, what and how large; never a prompt."""

import json

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.errors import ConfigError
from aimon_local.scenario.amounts import fixed
from aimon_local.scenario.read import parse
from aimon_local.scenario.recording import as_script, from_har, from_rows


def row(at_ns=0, consumer="ann", **ai):
    used = {
        "dialect": "openai.chat", "model": "m", "input": 7, "cache_read": 1, "cache_write": 0, "estimate": 9, "output": 5,
        "reasoning": 0, "reserved_output": 100, "stream": True,
    }  # fmt: skip
    return {"at_ns": at_ns, "consumer": consumer, "method": "POST", "ai": {**used, **ai}}


def script(recording):
    return parse(tomli_w.dumps(as_script(recording, "x")), "recorded.toml")


def test_rows_become_actors():
    rows = [
        row(3_500_000_000),
        row(1_000_000_000),
        row(2_000_000_000, None, stream=False),
        {**row(4_000_000_000), "ai": None},
    ]
    found = script(from_rows(rows))
    ann, anonymous = found.actors
    assert [call.at for call in ann.calls] == [0, 2.5, 3]
    step = ann.calls[0].step
    assert (step.model, step.stream, step.prompt_tokens, step.max_tokens) == ("m", True, fixed(8), fixed(100))
    assert step.headers == (("X-Mock-output-tokens", "5"),)
    assert anonymous.calls[0].at == 1
    assert ann.calls[2].step.path == "/anything"
    assert found.thresholds[0].text == "requests count==4"


@given(st.lists(st.tuples(st.integers(0, 10**12), st.text(min_size=1, max_size=8)), min_size=1, max_size=20))
def test_any_ledger_reads_back(calls):
    found = script(from_rows([row(at, who) for at, who in calls]))
    assert sum(len(actor.calls) for actor in found.actors) <= len(calls)  # names that differ by signs alone are one
    assert all(call.at >= 0 for actor in found.actors for call in actor.calls)


def entry(at, url, body=None):
    posted = {"postData": {"text": json.dumps(body)}} if body else {}
    return {"startedDateTime": at, "request": {"method": "POST" if body else "GET", "url": url, **posted}}


def test_a_har_file():
    secret = "the prompt stays at home " * 4
    body = {"model": "m", "messages": [{"role": "user", "content": secret}], "max_tokens": 9, "stream": True}
    entries = [
        entry("2026-01-01T00:00:01.500Z", "https://api.example/v1/chat/completions", body),
        entry("2026-01-01T00:00:01Z", "https://api.example/v1/models?x=1"),
    ]
    text = json.dumps({"log": {"entries": entries}})
    recording = from_har(text, "x.har")
    assert "prompt stays" not in json.dumps(recording)
    (actor,) = script(recording).actors
    assert [(call.at, call.step.path) for call in actor.calls] == [(0, "/v1/models?x=1"), (0.5, "/v1/chat/completions")]
    assert actor.calls[1].step.prompt_tokens.values[0] > 20


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log": {"entries": [{}]}}', '{"log": {"entries": 1}}'])
def test_what_is_no_har_file(text):
    with pytest.raises(ConfigError, match="no HAR file"):
        from_har(text, "x.har")
