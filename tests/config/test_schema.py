from dataclasses import fields

import pytest

from aimon_local.config.schema import SECTIONS, GatewaySection, LimitsSection, check, given, rules_of
from aimon_local.gateway.settings import Settings
from aimon_local.wire.limits import Limits

FORMAT_ONLY = {"log_format"}  # of the command line itself


def test_every_key_is_a_field_of_what_it_sets():
    assert set(rules_of("gateway")) - FORMAT_ONLY <= {f.name for f in fields(Settings)}
    assert set(rules_of("limits")) <= {f.name for f in fields(Limits)}


def test_every_key_says_what_it_is():
    for section in SECTIONS:
        for rules in rules_of(section).values():
            assert rules["doc"].endswith(".")


def test_the_programs_defaults_are_allowed_values():
    defaults = {f.name: f.default for f in fields(Settings)} | {f.name: f.default for f in fields(Limits)}
    for section in SECTIONS:
        for name, rules in rules_of(section).items():
            value = defaults.get(name)
            if isinstance(value, (str, int, float)):
                assert check(rules, value) is None, name


def test_given_are_the_set_ones():
    assert given(GatewaySection(proxy_port=0, empty=False)) == {"proxy_port": 0, "empty": False}
    assert given(LimitsSection()) == {}


@pytest.mark.parametrize(
    ("section", "key", "value", "fault"),
    [
        ("gateway", "proxy_port", 65536, "must be between 0 and 65535"),
        ("gateway", "proxy_port", True, "must be a whole number"),
        ("gateway", "proxy_port", 1.0, "must be a whole number"),
        ("gateway", "empty", 1, "must be true or false"),
        ("gateway", "credentials", "md5", "must be one of hashed, plaintext"),
        ("gateway", "data", "", "must not be empty"),
        ("gateway", "allowed_hosts", "a", "must be a list of strings"),
        ("gateway", "allowed_hosts", [1], "must be a list of strings"),
        ("gateway", "allowed_hosts", [], None),
        ("limits", "head_seconds", 5, None),
        ("limits", "head_seconds", "5", "must be a number"),
        ("limits", "head_seconds", float("nan"), "must be between 0.1 and 86400"),
    ],
)
def test_values(section, key, value, fault):
    assert check(rules_of(section)[key], value) == fault
