"""The order of plugins, and what each of them promises by its form."""

import subprocess
import sys

import pytest

from aimon_local.policy.plugins import BY_NAME, ORDER, SCHEMAS
from aimon_local.policy.rule import Rule, Scope
from tests.support.calls import filled

KONG = [
    "correlation-id",
    "cors",
    "jwt",
    "key-auth",
    "basic-auth",
    "ip-restriction",
    "request-size-limiting",
    "acl",
    "rate-limiting",
    "request-transformer",
    "response-transformer",
    "proxy-cache",
    "prometheus",
    "http-log",
    "file-log",
    "request-termination",
]
REQUIRED = {"http-log": {"http_endpoint": "http://a.test/"}, "file-log": {"path": "/x"}}


def test_the_order_is_kongs():
    assert [each.name for each in ORDER if each.name in KONG] == KONG
    assert list(BY_NAME) == list(SCHEMAS) == [each.name for each in ORDER]


def test_the_order_is_that_of_the_priorities_shown():
    shown = [each.priority for each in ORDER]
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("name", KONG)
def test_each_makes_rules_of_its_defaults(name):
    plugin = BY_NAME[name]
    rule = plugin.compile(filled(plugin.config, REQUIRED.get(name, {})), Scope("id"))
    assert isinstance(rule, Rule)


def test_who_calls_and_cors_are_settled_before_a_consumer_is_known():
    assert {each.name for each in ORDER if each.no_consumer} >= {"cors", "jwt", "key-auth", "basic-auth"}


def test_loading_them_loads_no_cryptography():
    code = "import sys, aimon_local.policy.plugins; sys.exit(any(m in sys.modules for m in ('jwt', 'cryptography', 'asyncio')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
