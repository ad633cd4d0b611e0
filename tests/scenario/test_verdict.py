"""The verdict is a function of script and evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.scenario.facts import Evidence, Mark
from aimon_local.scenario.metrics import METRICS, WORDS, measure, overruns, quantile_of, summed
from aimon_local.scenario.thresholds import read_threshold
from aimon_local.scenario.verdict import holds_so_far, judge
from tests.scenario.cases import HEAD, fact, mark, row, script

FACTS = (
    fact(actor="free", row=row(cost=3_000, charge=1_000, input=5, output=7), sent=0.0, ended=0.1),
    fact(actor="free", status=429, row=row("deny", "quota_exhausted"), sent=1.0, due=0.5, ended=1.2),
    fact(actor="pro", tier="p", row=row(cost=1_000_000, charge=2_000_000), sent=2.0, ended=2.3),
    fact(actor="pro", tier="p", status=0, error="timeout", sent=3.0, ended=4.0, attempt=1, honoured=True),
)
EVIDENCE = Evidence(FACTS, (Mark("jump", "phase", 1.5),), {"requests": 2.0}, 4.0)


def judged(*rules, evidence=EVIDENCE, extra=""):
    lines = "".join(f'"{name}" = "{rule}"\n' for name, rule in rules)
    return judge(script(HEAD + "[thresholds]\n" + lines + extra), evidence)


@pytest.mark.parametrize(
    ("name", "rule", "value"),
    [
        ("requests", "count==4", 4),
        ("requests{actor:free,status:4xx}", "count==1", 1),
        ("requests{reason:quota_exhausted}", "count>=1", 1),
        ("requests", "rate<=1", 1),
        ("denied", "rate==0.25", 0.25),
        ("failed{actor:pro}", "rate==0.5", 0.5),
        ("latency{actor:free}", "p(95)<201", 200),
        ("latency{actor:free}", "min>99", 100),
        ("late{actor:free}", "max==500", 500),
        ("tokens", "sum==12", 12),
        ("margin{tier:p}", "sum==0.001", 0.001),
        ("margin{actor:free}", "sum<0", -0.000002),
        ("retry_after_honoured", "rate==1", 1),
        ("upstream_requests", "value==2", 2),
        ("leaked", "sum==0", 0),
    ],
)
def test_thresholds(name, rule, value):
    verdict = judged((name, rule))
    assert verdict.passed, verdict
    assert verdict.judged[0].value == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "rule"), [("requests", "count!=4"), ("requests", "count>4"), ("denied", "rate<0.25"), ("tokens", "sum<12")]
)
def test_what_does_not_hold(name, rule):
    assert not judged((name, rule)).passed


def test_nothing_measured_is_not_good():
    verdict = judged(("latency{actor:nobody}", "p(95)<1"))
    assert not verdict.passed
    assert "nothing to measure" in verdict.judged[0].why


def test_an_interrupted_run_did_not_pass():
    assert not judged(evidence=Evidence(FACTS, interrupted=True)).passed


def test_an_event_that_failed_did_not_pass():
    assert not judged(evidence=Evidence(FACTS, (Mark("x", "admin", 1, "404"),))).passed


def test_order():
    ok = '[[assert]]\norder = [{ actor = "free" }, { event = "jump" }, { actor = "pro" }]\n'
    assert judged(extra=ok).passed
    assert not judged(
        extra=ok.replace('{ actor = "free" }, { event = "jump" }', '{ event = "jump" }, { actor = "free" }')
    ).passed
    assert not judged(extra='[[assert]]\norder = [{ actor = "free" }, { status = "429" }]\n').passed  # they overlap
    assert judged(extra='[[assert]]\nfirst = [{ actor = "free" }, { status = "429" }]\n').passed
    assert not judged(extra='[[assert]]\norder = [{ actor = "free" }, { event = "never" }]\n').passed


def test_expectations_are_judged_by_step():
    text = HEAD + 'name = "x"\nexpect = { reason = "quota_exhausted" }\n'
    assert judge(
        script(text), Evidence((fact(step="x", reasons=("quota_exhausted",), row=row("deny", "quota_exhausted")),))
    ).passed
    verdict = judge(script(text), Evidence((fact(step="x", reasons=("quota_exhausted",), row=row()),)))
    assert "1 times reason none, expected quota_exhausted" in verdict.judged[0].why
    assert not judge(script(text), Evidence(())).passed  # never called


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([1, 2])), max_size=30), st.integers(0, 300))
def test_what_is_above_a_budget_is_leaked_and_nothing_else(calls, amount):
    facts = [fact(row=row(cost=cost, limits=[mark("cost/day", amount, window)])) for cost, window in calls]
    over = overruns(facts, ("cost",))
    for window in (1, 2):
        spent = sum(cost for cost, at in calls if at == window)
        assert over.get(("c", "cost/day", window), 0) == max(0, spent - amount)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_quantiles_are_measured_values(samples, share):
    ordered = sorted(samples)
    found = quantile_of(ordered, share)
    assert found in samples
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-9


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_measures_with_each_of_its_words(metric):
    for word in METRICS[metric].words:
        assert word in WORDS
        written = "p(90)" if word == "p" else word
        assert read_threshold(metric, f"{written}<1").word == word
        measure(metric, (), word, 0.9, EVIDENCE)
        measure(metric, (), word, 0.9, Evidence(()))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("requests", "p(95)<1"),
        ("nothing", "count==1"),
        ("requests{", "count==1"),
        ("requests{a:b}", "count==1"),
        ("late", "max=1"),
    ],
)
def test_what_is_no_threshold(name, rule):
    with pytest.raises(ValueError, match=r"."):
        read_threshold(name, rule)


def test_sums_of_nothing():
    assert [summed(word, []) for word in ("sum", "count", "max", "avg", "med")] == [0, 0, 0, None, None]


def test_thresholds_on_the_way_are_those_that_clients_see():
    found = holds_so_far(script(HEAD + '[thresholds]\n"requests" = "count==4"\n"charge" = "sum==0"\n'), EVIDENCE)
    assert found == (("requests count==4", True),)
