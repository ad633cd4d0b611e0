"""Filter words: what they let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.tui.filters import NUMBERS, TEXTS, parse
from aimon_local.tui.fold import request
from tests.tui.made import event

ONE = request(7, event(consumer="acme", tier="pro", model="gpt-4o", tokens=1200, cost=5 * 10**8), {"r1": "health"})
TWO = request(8, event(consumer="bob", tier="free", deny_reason="rate_limited"), {"r1": "chat"})


@pytest.mark.parametrize(
    ("text", "lets"),
    [
        ("", "12"), ("tier:pro", "1"), ("tier:pro,free", "12"), ("!tier:pro", "2"), ("status:429", "2"),
        ("status:4xx", "2"), ("status:2xx tier:free", ""), ("reason:rate_*", "2"), ("model:gpt*", "1"),
        ("tokens>1000", "1"), ("tokens<=1200", "12"), ("tokens<1200", "2"), ("consumer:ACME", "1"),
        ("!route:health", "2"), ("decision:deny", "2"), ("cost>=0.5", "1"), ("ms<1", ""), ("acm", "1"),
        ("!acm", "2"), ("rate", "2"), ("model:", "2"), ("status:200,429", "12"), ("status!", ""),
    ],
)  # fmt: skip
def test_words(text, lets):
    found = parse(text)
    assert found.fault is None
    assert found.of([ONE, TWO]) == [each for each, name in ((ONE, "1"), (TWO, "2")) if name in lets]


@pytest.mark.parametrize(
    ("text", "says"),
    [("staus:4", "staus: is no filter word"), ("tokens>x", "needs a number"), ("tier>3", "tier> is no")],
)
def test_faults_are_said_and_hide_nothing(text, says):
    found = parse(text)
    assert says in found.fault
    assert found.of([ONE, TWO]) == [ONE, TWO]


@given(st.text())
def test_any_text_is_a_filter(text):
    parse(text).of([ONE, TWO])


@given(st.sampled_from([*TEXTS]), st.text(alphabet="ab[]*?!-", max_size=6))
def test_turned_round_is_the_rest(name, value):
    plain, turned = parse(f"{name}:{value}"), parse(f"!{name}:{value}")
    assert sorted(plain.of([ONE, TWO]) + turned.of([ONE, TWO])) == [ONE, TWO]


def test_each_number_can_be_compared():
    for name in NUMBERS:
        assert parse(f"{name}>=0").of([ONE]) == [ONE]
