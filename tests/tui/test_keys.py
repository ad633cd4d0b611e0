"""The key table: no clash, all documented, and the README's list is made of it."""

from collections import Counter
from pathlib import Path

import pytest

from aimon_local.tui import keys
from aimon_local.tui.app import Dashboard
from aimon_local.tui.pages import PAGES
from aimon_local.tui.pages.consumer import OneConsumer
from aimon_local.tui.pages.requests import Story
from aimon_local.tui.views import frame

README = Path(__file__).resolve().parents[2] / "README.md"
OWNERS = {**PAGES, "request": Story, "consumer": OneConsumer}


@pytest.mark.parametrize("where", sorted({each.where for each in keys.KEYS}))
def test_one_key_means_one_thing(where):
    own = Counter(each.key for each in keys.KEYS if each.where == where)
    assert max(own.values()) == 1
    assert len({each.key for each in keys.of(where)}) == len(keys.of(where))


@pytest.mark.parametrize("each", keys.KEYS, ids=lambda each: f"{each.where}:{each.key}")
def test_each_key_is_documented_and_does_something(each):
    assert each.help
    assert each.label.isprintable()
    owner = OWNERS[each.where] if each.where else Dashboard
    name = each.action.partition("(")[0]
    assert hasattr(owner, f"action_{name}") or hasattr(Dashboard, f"action_{name}")
    assert not each.key.startswith("ctrl")


def test_footers_fit_a_small_terminal():
    for where in {each.where for each in keys.KEYS} | set(PAGES):
        shown = keys.footer(where)
        assert len(shown) <= 8
        assert sum(len(text) for text, _ in frame.footer(where)) <= 80


def test_the_readme_lists_them():
    text = README.read_text()
    assert keys.markdown() in text, "python -m tests.tui.readme brings it up to date"
