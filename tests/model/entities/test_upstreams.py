import pytest

from aimon_local.model.entities.upstreams import UPSTREAMS
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds


def make(**data):
    found = process(UPSTREAMS, {"name": "u.test", **data}, mode="insert", now=NOW, ids=CountingIds())
    return found.body["fields"] if isinstance(found, Violation) else found


def test_defaults_reach_the_innermost_field():
    checks = make(healthchecks={"passive": {"unhealthy": {"tcp_failures": 3}}})["healthchecks"]
    assert checks["passive"]["unhealthy"] == {
        "timeouts": 0,
        "tcp_failures": 3,
        "http_statuses": [429, 500, 503],
        "http_failures": 0,
    }
    assert checks["active"]["healthy"]["http_statuses"] == [200, 302]
    assert checks["active"]["headers"] is None


USUAL = "failed conditional validation given value of field"


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"hash_on": "header"}, {"@entity": [f"{USUAL} 'hash_on'"], "hash_on_header": "required field missing"}),
        (
            {"hash_on": "none", "hash_fallback": "ip"},
            {"@entity": [f"{USUAL} 'hash_on'"], "hash_fallback": "expected one of: none"},
        ),
        (
            {"hash_on": "header", "hash_on_header": "a", "hash_fallback": "header", "hash_fallback_header": "a"},
            {"@entity": ["values of these fields must be distinct: 'hash_on_header', 'hash_fallback_header'"]},
        ),
        ({"slots": 9}, {"slots": "value should be between 10 and 65536"}),
        ({"healthchecks": {"threshold": 101}}, {"healthchecks": {"threshold": "value should be between 0 and 100"}}),
    ],
)
def test_refusals(data, fields):
    assert make(**data) == fields


def test_a_hash_with_its_source_passes():
    assert make(hash_on="cookie", hash_on_cookie="c")["hash_on_cookie_path"] == "/"
