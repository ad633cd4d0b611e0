"""The driver in virtual time, where times are exact: executors, phases, spawned children, retries, late sends, a stop."""

import asyncio
from pathlib import Path

import pytest

from aimon_local.gateway.virtual import VirtualGateway, connect, run_virtual
from aimon_local.scenario.play import play
from aimon_local.scenario.world import World
from tests.scenario.cases import script

PRICE = '[[model_prices]]\nmodel = "m"\ninput = 1\noutput = 2\n'


def played(text, seed=1, stop_at=None, progress=None):
    async def main():
        async with VirtualGateway(seed=seed, empty=True) as gateway:
            world = World(gateway.proxy, gateway.admin, gateway.upstream, own=True, connect=connect)
            stop = asyncio.Event()
            if stop_at is not None:
                asyncio.get_running_loop().call_later(stop_at, stop.set)
            return await play(script(text), world, seed=seed, prefix="", on_progress=progress, stop=stop)

    return run_virtual(main)


def sent(outcome, actor="a"):
    return [round(fact.sent, 6) for fact in outcome.evidence.facts if fact.actor == actor]


def actor(keys, step='path = "/get"', name="a"):
    return f"[actors.{name}]\n{keys}\n[[actors.{name}.steps]]\n{step}\n"


def test_an_open_model_sends_by_the_clock_whatever_the_answers_do():
    keys = 'executor = "constant-arrival-rate"\nrate = 10\nduration = "1s"'
    outcome = played(actor(keys, 'model = "m"\nmock = { ttft_ms = 5000 }') + PRICE)
    assert sent(outcome) == pytest.approx([at / 10 for at in range(10)], abs=0.001)
    assert all(fact.ended - fact.sent > 4.9 for fact in outcome.evidence.facts)


def test_what_can_not_be_sent_in_time_is_sent_late_and_said():
    keys = 'executor = "constant-arrival-rate"\nrate = 10\nduration = "500ms"\nmax_in_flight = 1'
    outcome = played(actor(keys, 'model = "m"\nmock = { ttft_ms = 1000 }') + PRICE)
    facts = outcome.evidence.facts
    assert len(facts) == 5  # nothing is left out
    assert [round(fact.due, 3) for fact in facts] == [0, 0.1, 0.2, 0.3, 0.4]
    assert [round(fact.late, 1) for fact in facts] == [0, 0.9, 1.8, 2.7, 3.6]


def test_closed_models():
    outcome = played(actor('vus = 3\niterations = 4\nthink = "1s"'))
    assert len(sent(outcome)) == 12
    assert max(sent(outcome)) == pytest.approx(3, abs=0.1)
    outcome = played(actor('executor = "constant-vus"\nvus = 2\nduration = "10s"\nthink = "1s"'))
    assert len(sent(outcome)) == 20
    assert outcome.evidence.seconds == pytest.approx(10, abs=0.1)


def test_replay_start_after_and_phases():
    text = actor('executor = "replay"\nstart = "2s"\ncalls = [{ at = 1, path = "/get" }]', 'path = "/get"')
    text += actor('after = "then"', name="b")
    text += '[[events]]\nname = "then"\nafter = "a"\nat = "5s"\nphase = "late"\n'
    outcome = played(text)
    assert sent(outcome) == pytest.approx([3], abs=0.01)
    assert sent(outcome, "b") == pytest.approx([8], abs=0.05)
    assert [fact.phase for fact in outcome.evidence.facts] == ["", "late"]
    assert [mark.name for mark in outcome.evidence.marks] == ["then"]


def test_children_of_children():
    text = actor("", 'name = "root"\npath = "/get"\nspawn = { step = "child", count = 2, levels = 3 }')
    text += '[[actors.a.steps]]\nname = "child"\npath = "/get"\nonly_spawned = true\n'
    outcome = played(text)
    steps = [fact.step for fact in outcome.evidence.facts]
    assert (steps.count("root"), steps.count("child")) == (1, 2 + 4 + 8)


def test_fields_of_an_answer_go_with_the_next_requests():
    step = 'name = "one"\npath = "/response-headers?X-Token=abc"\n[[actors.a.steps]]\npath = "/headers"\n'
    outcome = played(actor('carry = "X-Token"', step + 'expect = { body = "abc" }'))
    assert outcome.verdict.passed, outcome.verdict


def test_an_sdk_waits_as_it_is_told():
    tier = '[tiers.t]\nlimits = [{ unit = "requests", amount = 1, period = "second", sliding = true }]\n'
    outcome = played(actor('tier = "t"\niterations = 3\nclient = "sdk"', 'model = "m"') + tier + PRICE)
    facts = outcome.evidence.facts
    assert [fact.status for fact in facts] == [200, 429, 200, 429, 200]
    assert [fact.honoured for fact in facts] == [None, None, True, None, True]
    assert all(fact.late < 0.001 for fact in facts)


def test_a_stop_leaves_what_was_seen():
    outcome = played(actor('executor = "constant-arrival-rate"\nrate = 1\nduration = "1h"'), stop_at=10.5)
    assert outcome.verdict.interrupted
    assert not outcome.verdict.passed
    assert 10 <= len(sent(outcome)) <= 11
    assert all(fact.row for fact in outcome.evidence.facts)


def test_progress_is_told():
    told = []
    played(actor("iterations = 120"), progress=told.append)
    assert told[-1].actors[0].done == 120
    assert [each.actors[0].done for each in told] == sorted(each.actors[0].done for each in told)
    assert told[-1].actors[0].over


def test_the_same_seed_is_the_same_run():
    keys = 'executor = "constant-arrival-rate"\nrate = 20\nduration = "3s"\narrivals = "poisson"\ntier = "t"'
    text = actor(keys, 'model = "m"\nprompt_tokens = { lognormal = [50, 1] }\nmax_tokens = 20') + PRICE
    text += '[tiers.t]\nlimits = [{ unit = "tokens", amount = 3000, period = "minute" }]\n'
    one, two, other = played(text), played(text), played(text, seed=2)

    def rows(outcome):
        return [
            (fact.sent, fact.status, fact.row["request_id"], fact.ai("input"), fact.ai("cost"))
            for fact in outcome.evidence.facts
        ]

    assert rows(one) == rows(two) != rows(other)
    assert {fact.status for fact in one.evidence.facts} == {200, 429}


def test_the_example_of_the_readme_holds():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    example = readme.partition("## Scenarios")[2].partition("```toml\n")[2].partition("```")[0]
    outcome = played(example)
    assert outcome.verdict.passed, outcome.verdict
    assert len(outcome.verdict.judged) == 7
