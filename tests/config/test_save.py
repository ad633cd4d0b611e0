import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.config.load import load, parse
from aimon_local.config.save import dumps, save
from aimon_local.config.schema import SECTIONS, Config, rules_of
from aimon_local.errors import ConfigError

TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


def values(rules):
    if "one_of" in rules:
        return st.sampled_from(rules["one_of"])
    if "between" in rules:
        low, high = rules["between"]
        if rules["kind"] is tuple:
            return st.lists(st.integers(low, high), max_size=3).map(tuple)
        return st.integers(low, high) if rules["kind"] is int else st.floats(low, high)
    return {bool: st.booleans(), str: TEXT, tuple: st.lists(TEXT, max_size=3).map(tuple)}[rules["kind"]]


def section(name):
    keys = {key: st.none() | values(rules) for key, rules in rules_of(name).items()}
    return st.builds(SECTIONS[name], **keys)


@given(st.builds(Config, section("gateway"), section("limits")))
def test_what_is_saved_loads_as_the_same(config):
    assert parse(dumps(config)) == config


def test_a_file_is_whole_and_its_owners_alone(tmp_path):
    path = tmp_path / "aimon.toml"
    path.write_text("old")
    config = parse("[gateway]\nadmin_token = 't'\n")
    save(config, path)
    assert load(path) == config
    assert [one.name for one in tmp_path.iterdir()] == ["aimon.toml"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="can't be written"):
        save(config, tmp_path / "nowhere" / "aimon.toml")
