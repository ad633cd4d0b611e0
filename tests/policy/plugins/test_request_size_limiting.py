"""request-size-limiting: bounds to the byte, whatever the framing."""

import pytest

from aimon_local.policy import reasons
from aimon_local.policy.plan import make_plan
from aimon_local.policy.plugins.request_size_limiting import PLUGIN
from tests.support.calls import compile_rule, make_call
from tests.support.plugins import stored

TEXT = "Request size limit exceeded"


def rule(size=10, unit="bytes", **config):
    return compile_rule(PLUGIN, {"allowed_payload_size": size, "size_unit": unit, **config})


def verdict(rule, **facts):
    outcome = rule.access(make_call("POST", **facts))
    return outcome and (outcome.status, outcome.message, outcome.reason)


@pytest.mark.parametrize(
    ("size", "unit", "most"),
    [(10, "bytes", 10), (1, "kilobytes", 1024), (3, "megabytes", 3 << 20), (0, "bytes", 0), (None, "bytes", 128)],
)
def test_units_and_bounds(size, unit, most):
    limited = rule(size, unit)
    assert verdict(limited, content_length=most) is None
    assert verdict(limited, content_length=most + 1) == (413, TEXT, reasons.BODY_TOO_LARGE)
    assert limited.max_body[0] == most


def test_a_client_that_waits_for_100_continue_hears_417():
    assert verdict(rule(), content_length=11, expects_continue=True) == (417, TEXT, reasons.BODY_TOO_LARGE)
    assert verdict(rule(), content_length=10, expects_continue=True) is None


def test_bodies_of_undeclared_length_are_the_shells_to_count():
    limited = rule()
    assert verdict(limited, chunked=True) is None
    most, refusal = make_plan([(0, limited)]).max_body
    assert (most, refusal.status, refusal.message) == (10, 413, TEXT)


def test_a_body_that_another_rule_has_gathered_is_measured():
    assert verdict(rule(), body=b"x" * 11, content_length=None, chunked=True)[0] == 413
    assert verdict(rule(), body=b"x" * 10, content_length=None, chunked=True) is None


def test_a_length_can_be_required():
    strict = rule(require_content_length=True)
    missing = (411, "A valid Content-Length header is required", reasons.LENGTH_REQUIRED)
    assert verdict(strict) == missing
    assert verdict(strict, chunked=True) is None
    assert verdict(strict, content_length=0) is None
    assert verdict(rule()) is None


def test_configurations():
    assert stored(PLUGIN, {}) == {
        "allowed_payload_size": 128,
        "size_unit": "megabytes",
        "require_content_length": False,
    }
    assert "expected one of: megabytes, kilobytes, bytes" in stored(PLUGIN, {"size_unit": "x"})
    assert "expected an integer" in stored(PLUGIN, {"allowed_payload_size": 1.5})
