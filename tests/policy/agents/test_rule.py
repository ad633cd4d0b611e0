"""An agent's rule: scopes, runs, and one reserve on agent, owner, run and token; calls in, refusals out."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.agent import Agent, RunLimits, Scopes
from aimon_local.policy.agents.read import Family
from aimon_local.policy.agents.rule import AgentRule
from aimon_local.policy.agents.tokens import KIND, accept, mint
from aimon_local.policy.call import NEED_BODY, Refuse
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, counters, entity
from tests.support.tiers import answer, ask, chat, completion, fields_of, limit, terms, upstream_field

NS = 10**9
ALL = Scopes(("*",), ("*",), ("m-*",), ("search",))
AGENT = Agent("a-id", "bot", "c", "o", "acme", True, ALL, RunLimits())
KEYS = {"o": {"owner-key": 1 << 60}}


class Desk:
    """One owner's agents under one state."""

    def __init__(self, agent=AGENT, own=None, owner=None, state=None):
        self.state = state or LimitState()
        self.state.key = b"k" * 32
        self.agent, self.now, self.keys = agent, NOON * NS, KEYS
        self.own, self.owner = own or terms(), owner
        self.count = 0

    def begin(self, document=None, agent=None, key="key-1", fields=(), claims=None, **facts):
        """(the call, its rule, what stopped it)."""
        agent = agent or self.agent
        self.count += 1
        document = chat() if document is None else document
        facts = {"now_ns": self.now, "request_id": f"{self.count:032x}", "fields": fields} | facts
        call = ask(document or None, state=self.state, consumer=agent.consumer_id, **facts)
        call.snapshot = entity(family=Family({agent.consumer_id: agent}, self.keys))
        call.credential = entity(kind="key-auth", id=key, fields={})
        if claims is not None:
            call.credential = entity(kind=KIND, id=claims["jti"], fields=claims)
        rule = AgentRule(self.own, agent, self.owner)
        return call, rule, rule.access(call)

    def call(self, *args, **facts):
        """A whole call: its deny reason, or None; the call is in ``last``."""
        call, rule, stop = self.begin(*args, **facts)
        self.last, self.stop = call, stop
        if stop is None:
            answer(rule, call, completion())
            return None
        rule.settle(call, True)
        return stop.reason

    @property
    def run(self):
        return fields_of(None, self.last)["x-aimon-run"]


def code(stop):
    return json.loads(stop.body)["error"]["code"]


# ---- who


def test_a_call_says_whose_it_is_and_where_in_its_run():
    desk = Desk()
    assert desk.call() is None
    record = desk.last.notes["ai"]
    assert (record.agent, record.owner, record.depth, record.complete) == ("bot", "acme", 0, True)
    assert desk.run.startswith(f"{record.run}.0.")
    assert upstream_field(desk.last, "X-Aimon-Depth") == b"1"


def test_what_is_off_or_has_no_owner_is_refused():
    assert Desk(replace(AGENT, enabled=False)).call() == "agent_disabled"
    desk = Desk()
    desk.keys = {"o": {"owner-key": NOON}}
    assert desk.call() == "owner_revoked"
    desk.keys = {}
    assert desk.call() == "owner_revoked"
    assert desk.last.notes["ai"].agent == "bot"


# ---- scopes


@pytest.mark.parametrize(
    ("scopes", "document", "reason", "word"),
    [
        (Scopes(), {}, "scope_route", "route_not_allowed"),
        (Scopes(("ai",)), {}, "scope_method", "method_not_allowed"),
        (Scopes(("ai",), ("POST",)), {}, "scope_model", "model_not_allowed"),
        (replace(ALL, tools=()), {"tools": [{"type": "function", "function": {"name": "rm"}}]}, "scope_tool", "tool_not_allowed"),
        (replace(ALL, max_output_tokens=5), {}, "scope_output", "output_too_large"),
    ],
)  # fmt: skip
def test_what_is_not_named_is_refused(scopes, document, reason, word):
    desk = Desk(replace(AGENT, scopes=scopes))
    assert desk.call(chat(**document)) == reason
    assert code(desk.stop) == word
    assert desk.last.notes["ai"].denied_limit == reason


def test_a_plain_route_is_refused_in_plain_words_and_counts_where_it_is_allowed():
    desk = Desk(replace(AGENT, scopes=replace(ALL, methods=("GET",))))
    assert desk.call({}, path="/plain", method="DELETE") == "scope_method"
    assert isinstance(desk.stop, Refuse)
    assert desk.call({}, path="/plain", method="GET") is None


def test_named_tools_pass_and_output_is_bounded_where_the_client_asks_for_nothing():
    desk = Desk(replace(AGENT, scopes=replace(ALL, max_output_tokens=7)))
    assert desk.call(chat(max_tokens=7, tools=[{"type": "function", "function": {"name": "search"}}])) is None
    document = chat()
    del document["max_tokens"]
    assert desk.call(document) is None
    assert desk.last.notes["ai"].reserved_output == 7


def test_the_owners_tier_bounds_the_models_too():
    desk = Desk(owner=terms(models=("m-2",)))
    assert desk.call() == "model_not_allowed"


# ---- the reserve


def owner_of(amount, unit="requests"):
    return terms(limits=(limit(unit, amount),))


def used(desk, subject, name="requests/day"):
    account = desk.state.accounts.find(subject)
    return next(counter.used(desk.now) for _, counter in account.counters if counter.name == name)


def test_fifty_agents_of_one_owner_are_exact_to_the_unit():
    owner = terms(limits=(limit("requests", 20), limit("tokens", 100_000)))
    desk = Desk(own=terms(limits=(limit("requests", 10),)), owner=owner)
    agents = [replace(AGENT, id=f"a{n}", name=f"bot-{n}", consumer_id=f"c{n}") for n in range(50)]
    begun = [desk.begin(agent=agent) for agent in agents]  # all at once: none is settled
    passed = [each for each in begun if each[2] is None]
    assert len(passed) == 20
    assert {stop.reason for *_, stop in begun if stop is not None} == {"quota_exhausted"}
    assert used(desk, "o") == 20
    for call, rule, _ in passed:
        answer(rule, call, completion(prompt=5, output=7))
    assert used(desk, "o", "tokens/day") == 20 * 12
    assert sum(used(desk, agent.consumer_id) for agent in agents) == 20


def test_all_or_nothing_whoever_has_no_room():
    full = terms(limits=(limit("requests", 0),))
    for own, owner, limits in (
        (full, owner_of(5), RunLimits()),
        (owner_of(5), full, RunLimits()),
        (owner_of(5), owner_of(5), RunLimits(requests=0)),
    ):
        desk = Desk(replace(AGENT, limits=limits), own, owner)
        assert desk.call() in ("quota_exhausted", "run_requests")
        assert used(desk, "c") == used(desk, "o") == 0


@given(st.lists(st.sampled_from(["done", "upstream failed", "gone", "error"]), max_size=12))
def test_what_is_given_back_is_given_back_to_all(ends):
    desk = Desk(replace(AGENT, limits=RunLimits(requests=100)), owner_of(100), owner_of(100))
    expected = 0
    for end in ends:
        call, rule, stop = desk.begin()
        assert stop is None
        if end == "upstream failed":
            rule.settle(call, True)
        elif end == "gone":
            rule.settle(call, False)
        else:
            answer(rule, call, completion(), 200 if end == "done" else 500)
        expected += end != "upstream failed"
        runs = desk.state.runs.of("o")
        assert used(desk, "c") == used(desk, "o") == runs[0].facts()["requests"] == expected


def test_the_ledgers_words_say_whose_limit_it_was():
    desk = Desk(replace(AGENT, limits=RunLimits(requests=9)), owner_of(5), owner_of(7))
    assert desk.call() is None
    marks = desk.last.notes["ai"].marks()
    run = desk.last.notes["ai"].run
    assert [(m.name, m.account, m.amount, m.after) for m in marks] == [
        ("requests/day", "", 5, 1),
        ("requests/day", "o", 7, 1),
        ("requests/run", f"o@run/{run}", 9, 1),
    ]


# ---- runs


def test_the_limits_of_a_run_hold_and_say_not_to_retry():
    desk = Desk(replace(AGENT, limits=RunLimits(requests=2)))
    assert [desk.call() for _ in range(3)] == [None, None, "run_requests"]
    assert fields_of(desk.stop)["x-should-retry"] == "false"
    desk = Desk(replace(AGENT, limits=RunLimits(tokens=30)))
    assert desk.call() is None
    assert desk.call(chat(max_tokens=20)) == "run_tokens"
    desk = Desk(replace(AGENT, limits=RunLimits(cost=1)))
    assert desk.call() == "run_cost"


def test_a_run_ends_by_silence_alone():
    desk = Desk(replace(AGENT, limits=RunLimits(requests=1, idle_s=60)))
    assert desk.call() is None
    for _ in range(5):  # who hammers on is not silent
        desk.now += 50 * NS
        assert desk.call() == "run_requests"
    desk.now += 61 * NS
    assert desk.call() is None


def test_each_key_has_a_run_and_all_of_them_count_on_agent_and_owner():
    desk = Desk(replace(AGENT, limits=RunLimits(requests=1)), owner=owner_of(3))
    assert [desk.call(key=f"key-{n}") for n in range(5)] == [None, None, None, "quota_exhausted", "quota_exhausted"]


def test_wall_time_holds_also_after_the_run_was_forgotten():
    desk = Desk(replace(AGENT, limits=RunLimits(seconds=100)))
    assert desk.call() is None
    run = desk.run
    desk.now += 101 * NS
    assert desk.call(fields=[("X-Aimon-Run", run)]) == "run_time"
    desk.state = LimitState()
    desk.state.key = b"k" * 32
    assert desk.call(fields=[("X-Aimon-Run", run)]) == "run_time"


def test_depth_grows_by_hops_and_is_never_lowered():
    desk = Desk(replace(AGENT, limits=RunLimits(depth=2)))
    assert desk.call() is None
    for depth in (1, 2):
        up = upstream_field(desk.last, "X-Aimon-Run").decode()
        assert desk.call(fields=[("X-Aimon-Run", up)]) is None
        assert desk.last.notes["ai"].depth == depth
    up = upstream_field(desk.last, "X-Aimon-Run").decode()
    assert desk.call(fields=[("X-Aimon-Run", up)]) == "run_depth"
    assert code(desk.stop) == "chain_depth_exceeded"
    assert desk.call(fields=[("X-Aimon-Run", up), ("X-Aimon-Depth", "0")]) == "run_forged"
    for odd in ("-1", "x", "1.0", "99999"):
        assert desk.call(fields=[("X-Aimon-Run", up), ("X-Aimon-Depth", odd)]) == "run_forged"


def test_children_of_one_call_are_counted_and_those_that_never_ran_are_not():
    desk = Desk(replace(AGENT, limits=RunLimits(fanout=3)))
    assert desk.call() is None
    child = [("X-Aimon-Run", desk.run), ("X-Aimon-Depth", "1")]
    call, rule, stop = desk.begin(fields=child)
    assert stop is None
    rule.settle(call, True)  # its upstream failed
    assert [desk.call(fields=child) for _ in range(4)] == [None, None, None, "run_fanout"]
    assert code(desk.stop) == "chain_fanout_exceeded"
    assert desk.call(fields=child[:1]) is None  # it goes on itself, and starts nothing


def test_forged_and_replayed_runs_are_refused_and_the_count_goes_on():
    desk = Desk(replace(AGENT, limits=RunLimits(requests=2)))
    assert desk.call() is None
    run = desk.run
    forged = run.replace(".0.", ".1.", 1)
    assert desk.call(fields=[("X-Aimon-Run", forged)]) == "run_forged"
    assert desk.call(fields=[("X-Aimon-Run", run), ("X-Aimon-Run", run)]) == "run_forged"
    other = replace(AGENT, id="b-id", name="rat", consumer_id="d")
    assert desk.call(fields=[("X-Aimon-Run", run)], agent=other) == "run_replayed"
    stranger = replace(other, owner_id="p")
    desk.keys = KEYS | {"p": {"k": 1 << 60}}
    assert desk.call(fields=[("X-Aimon-Run", run)], agent=stranger) == "run_forged"
    assert desk.call(fields=[("X-Aimon-Run", run), ("X-Aimon-Depth", "1")], agent=other) is None  # a sub-agent's hop
    assert desk.call(fields=[("X-Aimon-Run", run)]) == "run_requests"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ([("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], "trace_4bf92f3577b34da6a3ce929d0e0e4736"),
        ([("baggage", "x=1, aimon.run=night.job;p=2")], "night_job"),
        ([("Mcp-Session-Id", "s/1@2")], "mcp_s_1_2"),
    ],
)  # fmt: skip
def test_names_of_others_name_a_run_and_never_begin_one(fields, name):
    desk = Desk(replace(AGENT, limits=RunLimits(requests=1)))
    assert desk.call(fields=fields) is None
    assert desk.last.notes["ai"].run.endswith(f"-{name}")
    assert desk.call(fields=[("Mcp-Session-Id", "a-new-one")]) == "run_requests"


def test_a2a_names_a_run_by_its_context():
    desk = Desk()
    message = {"jsonrpc": "2.0", "method": "message/send", "params": {"message": {"contextId": "ctx-1"}}}
    json_type = [("Content-Type", "application/json")]
    raw = json.dumps(message).encode()
    call, rule, stop = desk.begin({}, path="/a2a", method="POST", fields=json_type, content_length=len(raw))
    assert stop is NEED_BODY
    call.body = raw
    assert rule.access(call) is None
    rule.settle(call, True)
    assert call.notes["ai"].run.endswith("-a2a_ctx-1")


# ---- tokens


def claims_of(desk, **asked):
    made = mint(desk.agent, asked, desk.state.key, desk.now, f"t{desk.count}", "owner-key")
    assert not isinstance(made, str), made
    return made.claims


def test_a_tokens_budget_and_scopes_hold_beside_the_agents():
    desk = Desk()
    claims = claims_of(desk, budget={"requests": 2}, scopes={"models": ["m-1"], "max_output_tokens": 10})
    assert desk.call(chat(model="m-2"), claims=claims) == "scope_model"
    assert desk.call(chat(max_tokens=11), claims=claims) == "scope_output"
    assert [desk.call(claims=claims) for _ in range(3)] == [None, None, "token_budget"]
    narrowed = replace(AGENT, scopes=replace(ALL, models=("m-9",)))
    assert desk.call(claims=claims_of(desk), agent=narrowed) == "scope_model"  # what was minted before is narrowed too
    document = chat()
    del document["max_tokens"]
    assert desk.call(document, claims=claims_of(desk, scopes={"max_output_tokens": 3})) is None
    assert desk.last.notes["ai"].reserved_output == 3


def test_a_tokens_run_is_shared_and_is_not_left():
    desk = Desk(replace(AGENT, limits=RunLimits(requests=2)))
    one, other = claims_of(desk, run="job"), claims_of(desk, run="job") | {"jti": "t9"}
    assert [desk.call(claims=one), desk.call(claims=other), desk.call(claims=other)] == [None, None, "run_requests"]
    assert desk.call() is None
    assert desk.call(fields=[("X-Aimon-Run", desk.run)], claims=one) == "run_replayed"


def test_a_kill_keeps_the_counts_of_runs():
    limits = RunLimits(requests=3, fanout=2)
    desk = Desk(replace(AGENT, limits=limits))
    rows = {}

    def call(**facts):
        said = desk.call(**facts)
        rows.update({(row.key, row.unit): row for row in counters(desk.last.touched)})
        return said

    assert call() is None
    child = [("X-Aimon-Run", desk.run), ("X-Aimon-Depth", "1")]
    assert call(fields=child) is None
    again = Desk(desk.agent)
    again.state.load(rows.values())
    again.count, again.now = 50, desk.now + NS
    assert again.call(fields=child) is None
    assert again.call(fields=child) == "run_fanout"
    assert again.call() == "run_requests"


def test_accept_by_time_revocation_and_parent():
    desk = Desk()
    made = mint(AGENT, {"ttl": 60}, desk.state.key, desk.now, "t1", "owner-key")
    call, *_ = desk.begin()

    def reason(agent=AGENT, keys=KEYS, later=0):
        call.snapshot = entity(family=Family({"c": agent} if agent else {}, keys))
        call.now_ns = desk.now + later * NS
        found = accept(call, made.token.encode())
        return found.reason if isinstance(found, Refuse) else found.id

    assert reason() == reason(later=59) == "t1"
    assert reason(later=60) == "key_expired"
    assert reason(replace(AGENT, revoked=frozenset(["t1"]))) == "token_revoked"
    assert reason(replace(AGENT, tokens_since=NOON + 1)) == "token_revoked"
    assert reason(keys={}) == reason(keys={"o": {"owner-key": NOON}}) == "token_revoked"
    assert reason(None) == reason(replace(AGENT, owner_id="p")) == "invalid_key"
    assert accept(call, b"no-token") is None
