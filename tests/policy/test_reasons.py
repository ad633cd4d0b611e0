"""Deny reasons: stable words, each with its meaning, and no refusal of a rule without one of them."""

import re
from pathlib import Path

from aimon_local.policy import reasons

WORDS = {name: value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}


def test_each_word_is_its_constants_name_and_has_a_meaning():
    assert all(value == name.lower() for name, value in WORDS.items())
    assert sorted(WORDS.values()) == sorted(reasons.MEANINGS)
    assert all(re.fullmatch(r"\S.*[^.\s]", meaning) for meaning in reasons.MEANINGS.values())


def test_plugins_know_no_other_words():
    home = Path(reasons.__file__).parent / "plugins"
    text = "".join(path.read_text() for path in home.glob("*.py"))
    assert set(re.findall(r"reasons\.([A-Z_]+)\b", text)) <= WORDS.keys()
    spelled = set(re.findall(r'(?:Refuse|Answer)\([^()]*?"([a-z]+(?:_[a-z]+)+)"', text))
    assert spelled
    assert spelled <= set(WORDS.values())
