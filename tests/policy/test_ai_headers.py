"""How limits stand in each party's fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy import ai_headers
from aimon_local.policy.account import Status

NS = 10**9
NOW = 1_700_049_600 * NS + 5  # 2023-11-15T12:00:00Z and a little


def status(name, amount, used, resets=0):
    return Status("c", name, amount, used, resets)


def told(statuses, provider=None, **more):
    """Names and values, in order."""
    return list(ai_headers.fields(ai_headers.standing(statuses, provider, NOW, **more)))


def of(prefix, statuses, provider=None):
    """Those fields alone whose names begin so."""
    return [(name, value) for name, value in told(statuses, provider) if name.startswith(prefix)]


DAY = status("requests/day", 100, 40, 43_200 * NS)
MINUTE = status("requests/minute", 60, 50, 20 * NS)
TOKENS = status("tokens/minute", 1000, 1200, 20 * NS)
COST = status("cost/month", 500, 100, 86_400 * NS)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"), (1, "1ms"), (20_000_000, "20ms"), (NS - 1, "1000ms"), (NS, "1s"), (NS + 1, "2s"),
        (360 * NS, "6m0s"), (3600 * NS, "1h0m0s"), (86_399 * NS, "23h59m59s"), (90_061 * NS, "25h1m1s"),
    ],
)  # fmt: skip
def test_durations(nanoseconds, text):
    assert ai_headers.duration(nanoseconds) == text


@given(st.integers(0, 10**16))
def test_a_duration_never_ends_before_its_time(nanoseconds):
    text, total = ai_headers.duration(nanoseconds), 0
    for unit, size in (("h", 3600 * NS), ("m", 60 * NS), ("ms", NS // 1000), ("s", NS)):
        number, found, rest = text.partition(unit)
        if found and number.isdigit() and not (unit == "m" and rest.startswith("s")):
            total, text = total + int(number) * size, rest
    assert nanoseconds <= total < nanoseconds + NS


def test_openais_fields_describe_the_limit_with_the_least_left():
    assert dict(of(b"x-ratelimit", [DAY, MINUTE, TOKENS], "openai")) == {
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"10",
        b"x-ratelimit-reset-requests": b"20s",
        b"x-ratelimit-limit-tokens": b"1000",
        b"x-ratelimit-remaining-tokens": b"0",
        b"x-ratelimit-reset-tokens": b"20s",
    }


def test_of_equals_the_longer_window_is_told():
    both = [status("requests/minute", 10, 5, NS), status("requests/day", 10, 5, 9 * NS)]
    assert dict(told(both, "openai"))[b"x-ratelimit-reset-requests"] == b"9s"


def test_anthropics_fields_are_moments():
    out = status("output_tokens/day", 9, 1, NS)
    assert dict(of(b"anthropic", [DAY, out], "anthropic")) == {
        b"anthropic-ratelimit-requests-limit": b"100",
        b"anthropic-ratelimit-requests-remaining": b"60",
        b"anthropic-ratelimit-requests-reset": b"2023-11-16T00:00:01Z",
        b"anthropic-ratelimit-output-tokens-limit": b"9",
        b"anthropic-ratelimit-output-tokens-remaining": b"8",
        b"anthropic-ratelimit-output-tokens-reset": b"2023-11-15T12:00:02Z",
    }


def test_kongs_fields_are_for_calendar_windows_of_requests_alone():
    sliding = status("requests/hour:sliding", 5, 1, NS)
    assert told([DAY, MINUTE, TOKENS, sliding])[:-2] == [
        (b"X-RateLimit-Limit-Day", b"100"),
        (b"X-RateLimit-Remaining-Day", b"60"),
        (b"X-RateLimit-Limit-Minute", b"60"),
        (b"X-RateLimit-Remaining-Minute", b"10"),
        (b"RateLimit-Limit", b"60"),
        (b"RateLimit-Remaining", b"10"),
        (b"RateLimit-Reset", b"20"),
    ]
    assert [name for name, _ in told([TOKENS])] == [b"RateLimit-Policy", b"RateLimit"]


def test_the_drafts_fields_name_every_limit_with_its_unit():
    slots = status("concurrency", 4, 1)
    assert told([DAY, TOKENS, COST, slots])[-2:] == [
        (
            b"RateLimit-Policy",
            b'"requests/day";q=100;w=86400, "tokens/minute";q=1000;qu="tokens";w=60, '
            b'"cost/month";q=500;qu="nano-usd";w=2592000, "concurrency";q=4;qu="concurrent-requests"',
        ),
        (
            b"RateLimit",
            b'"requests/day";r=60;t=43200, "tokens/minute";r=0;t=20, "cost/month";r=400;t=86400, "concurrency";r=3',
        ),
    ]
    assert told([], "openai") == []


def test_who_is_told_what():
    def names(*args, **more):
        return {name.decode().lower().split("-")[0] for name, _ in told([DAY], *args, **more)}

    assert names(None) == {"x", "ratelimit"}
    assert names("anthropic") == {"x", "ratelimit", "anthropic"}
    assert names("anthropic", kongs=False) == {"ratelimit", "anthropic"}
    assert (b"x-ratelimit-limit-requests", b"100") in told([DAY], "openai")


@given(
    st.lists(st.tuples(st.sampled_from(["requests/day", "burst", "tokens/hour", "cost/month", "concurrency"]),
                       st.integers(0, 10**6), st.integers(0, 2 * 10**6), st.integers(0, 10**15)), max_size=6),
    st.sampled_from([None, "openai", "anthropic"]), st.booleans(),
)  # fmt: skip
def test_the_names_are_those_of_the_lines(limits, provider, kongs):
    lines = ai_headers.standing([status(*each) for each in limits], provider, NOW, kongs=kongs)
    assert lines.names == {line.partition(b": ")[0].lower() for line in lines.lines}
    assert not any(b"%" in line for line in lines.lines)
