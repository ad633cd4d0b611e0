"""Admission over several accounts: all or nothing, exact under any interleaving, settled once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.tier import Burst, Limit, Mode, Period, Tier, Unit
from aimon_local.policy.account import Account, Demand, Full, Grant, admit, peek, release, settle
from aimon_local.policy.spans import UTC

NS = 1_000_000_000
NOW = 1_790_000_000 * NS


def account(subject="c", **tier):
    return Account(subject, Tier("t", **tier), UTC)


def limit(unit, amount, period=Period.DAY, **more):
    return Limit(unit, amount, period, **more)


@given(st.permutations(range(12)), st.data())
def test_parallel_calls_never_pass_a_budget(order, data):
    budget = account(limits=(limit(Unit.COST, 100),))
    open_grants, spent = [], 0
    for _ in order:
        got = admit([budget], Demand(cost=30), NOW)
        if isinstance(got, Grant):
            open_grants.append(got)
        if open_grants and data.draw(st.booleans()):
            used = data.draw(st.integers(0, 30))
            settle(open_grants.pop(), Demand(cost=used))
            spent += used
    for grant in open_grants:
        settle(grant, Demand(cost=30))
        spent += 30
    assert spent <= 100
    assert budget.statuses(NOW)[0].used == spent


def test_fifty_at_once_with_a_budget_for_three():
    budget = account(limits=(limit(Unit.TOKENS, 300),))
    got = [admit([budget], Demand(input_tokens=60, output_tokens=40), NOW) for _ in range(50)]
    assert [isinstance(one, Grant) for one in got] == [True] * 3 + [False] * 47


def test_a_refusal_holds_nothing_anywhere():
    owner, agent = (
        account("owner", limits=(limit(Unit.REQUESTS, 1),)),
        account("agent", limits=(limit(Unit.TOKENS, 50),)),
    )
    before = owner.statuses(NOW)
    refused = admit([owner, agent], Demand(input_tokens=80), NOW)
    assert isinstance(refused, Full)
    assert (refused.status.subject, refused.status.name, refused.never) == ("agent", "tokens/day", True)
    assert owner.statuses(NOW) == before
    assert isinstance(admit([owner, agent], Demand(input_tokens=10), NOW), Grant)


def test_the_longest_wait_is_named():
    both = account(limits=(limit(Unit.REQUESTS, 1, Period.MINUTE), limit(Unit.REQUESTS, 1, Period.DAY)))
    admit([both], Demand(), NOW)
    assert admit([both], Demand(), NOW).status.name == "requests/day"


def test_shadow_counts_and_reports_and_lets_pass():
    shadow = account(limits=(limit(Unit.REQUESTS, 1, shadow=True),))
    admit([shadow], Demand(), NOW)
    second = admit([shadow], Demand(), NOW)
    assert isinstance(second, Grant)
    assert [full.status.name for full in second.shadowed] == ["requests/day"]
    assert shadow.statuses(NOW)[0].used == 2


def test_release_gives_all_back():
    every = account(
        limits=(limit(Unit.REQUESTS, 5), limit(Unit.COST, 50, sliding=True)),
        burst=Burst(60, Period.MINUTE, 3),
        concurrency=1,
    )
    before = every.statuses(NOW)
    grant = admit([every], Demand(cost=20), NOW)
    assert every.statuses(NOW) != before
    release(grant)
    assert [status.used for status in every.statuses(NOW)] == [status.used for status in before]


DEMANDS = st.builds(Demand, st.just(1), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))


@given(st.lists(DEMANDS, max_size=8), DEMANDS, st.sampled_from(Mode), st.integers(0, 10**11))
def test_a_peek_changes_nothing_and_says_what_admit_says(earlier, demand, mode, later):
    def made():
        accounts = [
            account(
                "c",
                limits=(limit(Unit.REQUESTS, 6), limit(Unit.TOKENS, 150, Period.MINUTE, sliding=True)),
                burst=Burst(60, Period.MINUTE, 4),
                concurrency=5,
                mode=mode,
            ),
            account("c@r", limits=(limit(Unit.COST, 100, Period.HOUR), limit(Unit.COST, 10, shadow=True))),
        ]
        for each in earlier:
            admit(accounts, each, NOW)
        return accounts

    looked, untouched, now = made(), made(), NOW + later
    found, refused = peek(looked, demand, now)
    assert peek(looked, demand, now) == (found, refused)
    assert [each.statuses(now) for each in looked] == [each.statuses(now) for each in untouched]
    got, same = admit(looked, demand, now), admit(untouched, demand, now)
    assert [each.statuses(now) for each in looked] == [each.statuses(now) for each in untouched]
    assert (refused is None) == isinstance(got, Grant) == isinstance(same, Grant)
    assert refused is None or refused == got == same
    assert any(each.wait and not each.shadow for each in found) == (refused is not None)


def test_a_grant_is_settled_once():
    grant = admit([account()], Demand(), NOW)
    settle(grant, Demand())
    with pytest.raises(RuntimeError):
        settle(grant, Demand())


def test_post_count_lets_parallel_calls_through():
    peer = account(limits=(limit(Unit.COST, 100),), mode=Mode.POST_COUNT)
    grants = [admit([peer], Demand(cost=60), NOW) for _ in range(4)]
    for grant in grants:
        settle(grant, Demand(cost=60))
    assert peer.statuses(NOW)[0].used == 240
    assert isinstance(admit([peer], Demand(cost=60), NOW), Full)
