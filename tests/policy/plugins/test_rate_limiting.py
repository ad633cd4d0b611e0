"""rate-limiting: what is admitted, who is counted together, what the answer tells, what a configuration may say."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.plugins.rate_limiting import PLUGIN, warnings
from aimon_local.policy.state import LimitState
from aimon_local.policy.windows import MAX_AHEAD, UNITS, Moment
from tests.support.calls import NOON, compile_rule, counters, entity, make_call, said

MIDYEAR = 1_687_000_000  # 2023-06-17T11:06:40Z: no turn of the month near


class Client:
    """Sends calls to one rule and keeps the answers."""

    def __init__(self, config, **scope):
        self.rule = compile_rule(PLUGIN, config, **scope)
        self.state = LimitState()

    def ask(self, at=NOON, **facts):
        call = make_call(state=self.state, now_ns=int(at * 10**9), **facts)
        refusal = self.rule.access(call)
        self.rule.settle(call, True)
        return (refusal.status if refusal else 200), dict(said(call)), call


def told(unit, limit, left, reset, tightest=None):
    limits = (
        {unit: (limit, left)} if isinstance(unit, str) else dict(zip(unit, zip(limit, left, strict=True), strict=True))
    )
    out = {}
    for name, (most, rest) in limits.items():
        out[f"X-RateLimit-Limit-{name}".encode()] = str(most).encode()
        out[f"X-RateLimit-Remaining-{name}".encode()] = str(rest).encode()
    most, rest = limits[tightest or unit]
    out |= {b"RateLimit-Limit": str(most).encode(), b"RateLimit-Remaining": str(rest).encode()}
    return out | {b"RateLimit-Reset": str(reset).encode()}


def test_the_sixth_of_five_a_minute_is_refused_and_not_counted():
    client = Client({"minute": 5})
    for left in (4, 3, 2, 1, 0):
        status, fields, _ = client.ask(NOON + 10)
        assert (status, fields) == (200, told("Minute", 5, left, 50))
    for _ in range(3):
        status, fields, call = client.ask(NOON + 20)
        assert (status, fields) == (429, told("Minute", 5, 0, 40) | {b"Retry-After": b"40"})
        assert call.touched == []
    assert client.ask(NOON + 60)[:2] == (200, told("Minute", 5, 4, 60))


def test_what_is_stored_last_is_the_newest_count_in_whatever_order_calls_end():
    client, now = Client({"minute": 5}), NOON * 10**9
    slow, quick, next_minute = (make_call(state=client.state, now_ns=now + wait * 10**9) for wait in (0, 0, 60))
    for call, counted in ((slow, 1), (quick, 2)):
        assert client.rule.access(call) is None
        assert call.touched == []
        assert client.state.open("rate::", "127.0.0.1", client.state.moment(now)).counts[1] == counted
    for call in (quick, slow):
        client.rule.settle(call, True)
        assert [(row.start, row.value) for row in counters(call.touched)] == [(NOON, 2)]
    slow.touched.clear()
    client.rule.access(next_minute)
    client.rule.settle(slow, True)
    assert [(row.start, row.value) for row in counters(slow.touched)] == [(NOON + 60, 1)]


def test_a_call_that_outlives_its_windows_stores_nothing_old():
    client = Client({"second": 5})
    slow = make_call(state=client.state, now_ns=NOON * 10**9)
    client.rule.access(slow)
    client.state.prune((NOON + 9) * 10**9)
    client.rule.settle(slow, True)
    assert slow.touched == []


def test_a_refusal_leaves_the_other_windows_as_they_are():
    client = Client({"second": 2, "minute": 100})
    units, limits = ("Second", "Minute"), (2, 100)
    assert client.ask()[1] == told(units, limits, (1, 99), 1, "Second")
    assert client.ask()[1] == told(units, limits, (0, 98), 1, "Second")
    status, fields, _ = client.ask()
    assert (status, fields) == (429, told(units, limits, (0, 98), 1, "Second") | {b"Retry-After": b"1"})
    assert client.ask(NOON + 1)[1] == told(units, limits, (1, 97), 1, "Second")


def test_of_equally_tight_windows_the_longest_is_named():
    client = Client({"minute": 5, "hour": 5})
    assert client.ask()[1] == told(("Minute", "Hour"), (5, 5), (4, 4), 3600, "Hour")


def test_resets_reckon_months_of_30_and_years_of_365_days():
    for unit, at, reset in [
        ("day", MIDYEAR, 86400 - MIDYEAR % 86400),
        ("month", MIDYEAR, 2592000 - (16 * 86400 + MIDYEAR % 86400)),
        ("year", MIDYEAR, 31536000 - (MIDYEAR - 1_672_531_200)),
        ("month", 1_690_848_000 - 1, 1),  # the last second of July, day 31
    ]:
        assert Client({unit: 3}).ask(at)[1] == told(unit.capitalize(), 3, 2, reset)


def test_counter_changes_are_what_the_ledger_stores():
    _, _, call = Client({"minute": 5, "hour": 6}, route_id="r", consumer_id="c").ask(NOON + 61, client_ip="::1")
    assert [tuple(row) for row in counters(call.touched)] == [
        ("rate:r::::1", "minute", NOON + 60, 1, NOON + 120),
        ("rate:r::::1", "hour", NOON, 1, NOON + 3600),
    ]


def test_hidden_headers_hide_retry_after_too():
    client = Client({"minute": 1, "hide_client_headers": True})
    assert client.ask()[:2] == (200, {})
    assert client.ask()[:2] == (429, {})


def test_refusal_in_words_of_the_configuration():
    client = Client({"minute": 1, "error_code": 418, "error_message": "slow down"})
    client.ask()
    refusal = client.rule.access(make_call(state=client.state))
    assert (refusal.status, refusal.message, refusal.reason) == (418, "slow down", "rate_limited")
    assert Client({"minute": 1, "error_code": 99999}).rule._refusal.status == 429


def test_a_fraction_admits_what_kong_admits():
    client = Client({"minute": 2.5})
    assert [client.ask()[:2] for _ in range(4)] == [
        (200, told("Minute", 2.5, 1.5, 60)),
        (200, told("Minute", 2.5, 0.5, 60)),
        (200, told("Minute", 2.5, 0, 60)),
        (429, told("Minute", 2.5, 0, 60) | {b"Retry-After": b"60"}),
    ]


def test_a_limit_that_was_lowered_shows_no_less_than_nothing():
    wide, narrow = Client({"minute": 9}), Client({"minute": 2, "hour": 3})
    narrow.state = wide.state
    for _ in range(5):
        wide.ask()
    assert narrow.ask()[:2] == (
        429,
        told(("Minute", "Hour"), (2, 3), (0, 3), 60, "Minute") | {b"Retry-After": b"60"},
    )


# ---- who is counted together

ALICE, BOB = entity(id="alice"), entity(id="bob")
KEY1, KEY2 = entity(id="key1"), entity(id="key2")


def limited(config, *calls):
    """Statuses of calls to a limit of one a minute."""
    client = Client({"minute": 1, **config})
    return [client.ask(**facts)[0] for facts in calls]


def test_by_consumer_then_credential_then_address():
    assert limited(
        {},
        {"consumer": ALICE, "credential": KEY1},
        {"consumer": ALICE, "credential": KEY2},
        {"consumer": BOB},
        {"credential": KEY1},
        {"credential": KEY1},
        {},
        {},
    ) == [200, 429, 200, 200, 429, 200, 429]


def test_by_credential():
    calls = [{"consumer": ALICE, "credential": KEY1}, {"consumer": ALICE, "credential": KEY2}]
    calls += [{"consumer": BOB, "credential": KEY1}, {"consumer": BOB}, {"consumer": ALICE}]
    assert limited({"limit_by": "credential"}, *calls) == [200, 200, 429, 200, 429]


def test_by_address():
    calls = [{"consumer": ALICE}, {"consumer": BOB}, {"consumer": BOB, "client_ip": "::1"}]
    assert limited({"limit_by": "ip"}, *calls) == [200, 429, 200]


def test_by_service():
    one, two = entity(service=entity(id="s1")), entity(service=entity(id="s2"))
    calls = [{"match": one}, {"match": one, "client_ip": "::1"}, {"match": two}, {"match": entity(service=None)}, {}]
    assert limited({"limit_by": "service"}, *calls) == [200, 429, 200, 200, 429]


def test_by_header_of_which_only_a_hash_is_kept():
    config = {"limit_by": "header", "header_name": "X-Tenant"}
    calls = [{"fields": [("x-tenant", "t1")]}, {"fields": [("X-Tenant", "t1"), ("X-Tenant", "t2")]}]
    calls += [{"fields": [("X-Tenant", "t2")]}, {"fields": [("X-Tenant", "")]}, {}, {}]
    assert limited(config, *calls) == [200, 429, 200, 200, 200, 429]
    _, _, call = Client({"minute": 1, **config}).ask(fields=[("X-Tenant", "s3cret")])
    assert "s3cret" not in counters(call.touched)[0].key


def test_by_path_where_it_is_exactly_that_one():
    calls = [{"target": t} for t in ("/hot", "/hot?x=1", "/cold", "/hot/x")]
    assert limited({"limit_by": "path", "path": "/hot"}, *calls) == [200, 429, 200, 429]


def test_the_counter_belongs_to_the_scope_not_to_the_plugin_nor_its_consumer():
    state = LimitState()
    everyone, alice, route = (
        Client({"minute": 5}),
        Client({"minute": 9}, consumer_id="alice"),
        Client({"minute": 7}, route_id="r"),
    )
    for client in (everyone, alice, route):
        client.state = state
    assert everyone.ask(consumer=ALICE)[1][b"RateLimit-Remaining"] == b"4"
    assert alice.ask(consumer=ALICE)[1][b"RateLimit-Remaining"] == b"7"
    assert route.ask(consumer=ALICE)[1][b"RateLimit-Remaining"] == b"6"


# ---- laws

CONFIGS = st.dictionaries(st.sampled_from(UNITS), st.integers(1, 6), min_size=1).map(
    lambda limits: dict(zip([u for u in UNITS if u in limits], sorted(limits.values()), strict=True))
)
WALK = st.lists(st.integers(0, 40) | st.integers(0, 5000), min_size=1, max_size=120)


@given(CONFIGS, WALK)
def test_no_window_admits_more_than_its_limit_and_no_interval_more_than_twice(config, steps):
    client, now, admitted = Client(config), MIDYEAR, []
    for step in steps:
        now += step
        if client.ask(now)[0] == 200:
            admitted.append(now)
    for unit, name in enumerate(UNITS):
        limit = config.get(name, len(steps))
        assert max(Counter(Moment(at).starts[unit] for at in admitted).values()) <= limit
        length = Moment(now).ends[unit] - Moment(now).starts[unit]
        for first in admitted:
            assert sum(first <= at < first + length for at in admitted) <= 2 * limit


@given(CONFIGS, st.lists(st.integers(-MAX_AHEAD, MAX_AHEAD) | st.integers(0, 30), min_size=1, max_size=80))
def test_jumps_of_the_clock_never_overfill_a_window_that_the_headers_name(config, steps):
    """A window is named by what is stored: its unit and start; jumps stay within a day of the newest moment."""
    client, now, newest, seen = Client(config), MIDYEAR, MIDYEAR, Counter()
    for step in steps:
        now = max(now + step, newest - MAX_AHEAD)
        newest = max(now, newest)
        _, fields, call = client.ask(now)
        for row in counters(call.touched):
            seen[row.unit, row.start] += 1
            assert row.value == seen[row.unit, row.start] <= config[row.unit]
        for name, value in fields.items():
            assert int(value) >= 0, name
        assert int(fields[b"RateLimit-Reset"]) >= 1
        assert int(fields.get(b"Retry-After", b"1")) >= 1


@given(CONFIGS, st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=40))
def test_any_clock_is_survived_and_frees_nobody_at_the_jump(config, steps):
    client, now = Client(config), MIDYEAR
    for step in steps:
        while client.ask(now)[0] == 200:
            pass
        if step < 0:
            now = max(0, now + step)
            assert client.ask(now)[0] == 429
        else:
            now = min(now + step, 10**10)


# ---- configuration


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"second": 20, "hour": 10}, "The limit for hour(10.0) cannot be lower than the limit for second(20.0)"),
        ({"minute": 2.5, "day": 2}, "The limit for day(2.0) cannot be lower than the limit for minute(2.5)"),
        ({"minute": 5, "sync_rate": 1}, "sync_rate can only be used with the redis policy"),
        ({"minute": 5, "sync_rate": 0.01, "policy": "redis"}, "sync_rate must be greater than 0.02, or -1 to disable"),
        ({"minute": 5, "sync_rate": 1, "policy": "redis"}, None),
        ({"second": 5, "minute": 5, "year": 5}, None),
    ],
)
def test_checks_of_the_whole_configuration(config, text):
    assert PLUGIN.config.check(config) == text


def test_checks_of_names():
    fields = {field.name: field for field in PLUGIN.config.fields}
    assert fields["header_name"].check("X-Tenant_1") is None
    assert "bad header name 'a b'" in fields["header_name"].check("a b")
    host = fields["redis"].fields[0]
    assert [host.check(h) for h in ("redis.test", "::1", "r:6379", "a b")] == [
        None,
        None,
        "must not have a port",
        "invalid value: a b",
    ]


def test_old_names_of_redis_settings_stand_for_the_new_ones():
    assert [s.name for s in PLUGIN.config.shorthands][:2] == ["redis_host", "redis_port"]
    for short in PLUGIN.config.shorthands:
        assert short.expand(1) == {"redis": {short.shown[1]: 1}}


def test_what_an_operator_is_told():
    assert warnings({"policy": "local"}) == []
    for policy in ("cluster", "redis"):
        assert "one process counts exactly" in warnings({"policy": policy})[0]
