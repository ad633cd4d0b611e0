"""Where consumers stand on their limits: what is shown, and the bound of it."""

from types import SimpleNamespace

from aimon_local.gateway.metrics import Metrics, Node
from aimon_local.gateway.standings import Stand, standings
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, entity
from tests.support.tiers import answer, ask, chat, completion, limit, rule

NOW = NOON * 10**9


def people(*names):
    return {name: entity(id=name, username=f"the-{name}", custom_id=None) for name in names}


def test_each_limit_of_who_called_with_what_is_left_of_it_money_in_dollars():
    state = LimitState()
    tier = rule(limits=(limit("requests", 10), limit("cost", 5 * 10**9)), concurrency=4)
    done, runs = ask(chat(), state=state), ask(chat(), state=state)
    assert (tier.access(done), tier.access(runs)) == (None, None)
    answer(tier, done, completion(5, 7))
    found = standings(state.accounts, people("c"), NOW)
    left = {stand.limit: (stand.amount, stand.remaining) for stand in found.stands}
    held = 11 * 1000 + 10 * 4000  # nano-dollars of the call in flight
    assert left == {
        "requests/day": (10, 8),
        "cost/day": (5.0, (5 * 10**9 - 33_000 - held) / 10**9),
        "concurrency": (4, 3),
    }
    assert {(stand.consumer, stand.tier) for stand in found.stands} == {("the-c", "t")}
    assert (found.in_flight, found.omitted) == ({"t": 1}, 0)
    answer(tier, runs, completion(5, 7))
    assert standings(state.accounts, people("c"), NOW).in_flight == {"t": 0}


def test_looking_changes_nothing():
    state, tier = LimitState(), rule(limits=(limit("requests", 10),))
    assert tier.access(ask(chat(), state=state)) is None
    one = standings(state.accounts, people("c"), NOW)
    assert one == standings(state.accounts, people("c"), NOW)


def test_the_fullest_are_shown_and_the_rest_is_counted():
    state, tier = LimitState(), rule(limits=(limit("requests", 10), limit("requests", 100, sliding=True)))
    names = [f"c{number}" for number in range(9)]
    for calls, name in enumerate(names, 1):
        for _ in range(calls):
            assert tier.access(ask(chat(), state=state, consumer=name)) is None
    found = standings(state.accounts, people(*names), NOW, most=3)
    assert [(stand.consumer, stand.limit) for stand in found.stands] == [
        ("the-c6", "requests/day"), ("the-c7", "requests/day"), ("the-c8", "requests/day"),
    ]  # fmt: skip
    assert found.omitted == 15


def test_who_is_no_consumer_any_more_has_no_series():
    state, tier = LimitState(), rule(limits=(limit("requests", 10),))
    for name in ("c", "gone"):
        assert tier.access(ask(chat(), state=state, consumer=name)) is None
    assert {stand.consumer for stand in standings(state.accounts, people("c"), NOW).stands} == {"the-c"}


def test_they_are_series_of_the_metrics():
    found = SimpleNamespace(stands=[Stand("c", "free", "cost/day", 5.0, 1.25)], omitted=2, in_flight={"free": 3})
    node = Node("n", "v", 1, 1, True, 1, standings=(found.stands, found.omitted, found.in_flight))
    text = Metrics().render(node)
    assert 'aimon_tier_limit{consumer="c",tier="free",limit="cost/day"} 5\n' in text
    assert 'aimon_tier_limit_remaining{consumer="c",tier="free",limit="cost/day"} 1.25\n' in text
    assert "aimon_tier_limit_omitted 2\n" in text
    assert 'aimon_tier_in_flight{tier="free"} 3\n' in text
    assert "aimon_tier" not in Metrics().render(Node("n", "v", 1, 1, True, 1))
