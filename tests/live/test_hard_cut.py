"""Streams that do not keep their bound, cut at the budget's edge: the official SDKs see an ordinary end of a full answer."""

import anthropic
import openai
import pytest

from tests.support.live import WAIT, GatewayProcess, ask, until

pytestmark = pytest.mark.live
EDGE = 12  # tokens that calls ask for
ENDLESS = {"x-mock-ignore-max": "true", "x-mock-output-tokens": "50000", "x-mock-tokens-per-s": "2000"}
LYING = {"x-mock-ignore-max": "true", "x-mock-output-tokens": "400", "x-mock-usage": "lying"}
HELLO = [{"role": "user", "content": "hello there"}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("cut") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "llm", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/llm/routes", {"name": "llm", "paths": ["/ai"]})
        running.plugin("llm", "key-auth", key_names=["x-api-key", "authorization"])
        for model in ("mock-small", "claude-haiku"):
            running.write("POST", "/model_prices", {"model": model, "input": 1, "output": 5, "max_output": 60000})
        yield running


@pytest.fixture
def customer(gateway):
    name, key = gateway.consumer()
    limits = [{"unit": "tokens", "amount": 10**5, "period": "day"}]
    gateway.write("POST", "/tiers", {"name": f"tier-{name}", "limits": limits, "hard_cut": True})
    gateway.write("POST", f"/consumer_groups/tier-{name}/consumers", {"consumer": name})
    ask(gateway.builtin, "DELETE", "/_mock/stats")
    return name, key


@pytest.fixture
def one(gateway, customer):
    base = "http://{}:{}/ai/v1".format(*gateway.proxy)
    with openai.OpenAI(api_key=customer[1], base_url=base, timeout=WAIT, max_retries=0) as client:
        yield client


@pytest.fixture
def other(gateway, customer):
    base = "http://{}:{}/ai".format(*gateway.proxy)
    with anthropic.Anthropic(api_key=customer[1], base_url=base, timeout=WAIT, max_retries=0) as client:
        yield client


def check(gateway, customer, words, cut=1):
    """The ledger: whole, flagged, by our count; the upstream was let go of, long before its end; the books agree."""
    row = until(lambda: gateway.rows("consumer = ? AND method = 'POST'", customer[0]))[0]
    ai = gateway.write("GET", f"/requests/{row['request_id']}")["ai"]
    assert (row["status"], row["complete"], ai["complete"], ai["flags"]) == (200, 1, True, ["cut"])
    assert ai["output"] == -(-len(words.encode()) // 4) <= EDGE
    used = ask(gateway.proxy, "GET", "/ai/aimon/me", x_api_key=customer[1]).json["limits"][0]["used"]
    assert used == ai["input"] + ai["output"]
    assert gateway.write("GET", "/verify")["good"]
    stats = until(lambda: (found := ask(gateway.builtin, "GET", "/_mock/stats").json)["in_flight"] == 0 and found)
    assert (stats["requests"], stats["cut"]) == (1, cut)
    return ai, stats


@pytest.mark.parametrize("knobs", [ENDLESS, LYING])
@pytest.mark.parametrize("asked", [True, False])
def test_openais_chat_ends_with_length(gateway, customer, one, knobs, asked):
    more = {"stream_options": {"include_usage": True}} if asked else {}
    got = list(
        one.chat.completions.create(
            model="mock-small", messages=HELLO, max_tokens=EDGE, stream=True, extra_headers=knobs, **more
        )
    )
    words = "".join(each.choices[0].delta.content or "" for each in got if each.choices)
    assert [each.choices[0].finish_reason for each in got if each.choices][-1] == "length"
    assert len({each.id for each in got}) == 1
    ai, stats = check(gateway, customer, words, int(knobs is ENDLESS))
    assert ai["finish_reason"] == "length"
    if asked:
        assert (got[-1].choices, got[-1].usage.completion_tokens) == ([], ai["output"])
    else:
        assert all(each.usage is None for each in got)
    if knobs is ENDLESS:
        assert stats["output_tokens"] < 50000


def test_openais_helper_for_streams_raises_what_a_full_answer_raises(gateway, customer, one):
    asked = {"model": "mock-small", "messages": HELLO, "max_tokens": EDGE, "extra_headers": ENDLESS}
    with one.chat.completions.stream(**asked) as stream:
        words = "".join(event.delta for event in stream if event.type == "content.delta")
        with pytest.raises(openai.LengthFinishReasonError):
            stream.get_final_completion()
    check(gateway, customer, words)


def test_openais_response_is_incomplete(gateway, customer, one):
    got = list(
        one.responses.create(
            model="mock-small", input="hello", max_output_tokens=EDGE, stream=True, extra_headers=ENDLESS
        )
    )
    last = got[-1]
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")
    assert last.response.incomplete_details.reason == "max_output_tokens"
    words = "".join(each.delta for each in got if each.type == "response.output_text.delta")
    assert last.response.output_text == words
    ai, _ = check(gateway, customer, words)
    assert last.response.usage.output_tokens == ai["output"]


def test_anthropics_message_stops_at_max_tokens(gateway, customer, other):
    with other.messages.stream(model="claude-haiku", max_tokens=EDGE, messages=HELLO, extra_headers=ENDLESS) as stream:
        words = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert (final.stop_reason, final.content[0].text) == ("max_tokens", words)
    ai, _ = check(gateway, customer, words)
    assert final.usage.output_tokens == ai["output"]


def test_the_connection_goes_on_behind_a_cut(gateway, customer, one):
    for _ in range(3):
        got = list(
            one.chat.completions.create(
                model="mock-small", messages=HELLO, max_tokens=EDGE, stream=True, extra_headers=ENDLESS
            )
        )
        assert got[-1].choices[0].finish_reason == "length"
    rows = until(lambda: len(found := gateway.rows("consumer = ? AND method = 'POST'", customer[0])) == 3 and found)
    assert [(row["status"], row["complete"]) for row in rows] == [(200, 1)] * 3
