"""The gateway's own refusals: which requests get them."""

import pytest

from aimon_local.gateway import refusals
from aimon_local.policy.call import Refuse, header
from aimon_local.policy.reasons import MEANINGS
from aimon_local.wire.message import FailureKind
from tests.support.stage import make_failure


@pytest.mark.parametrize("name", ["Authorization", "Expect", "If-Match", "Content-Range"])
def test_some_fields_can_only_come_once(name):
    once, other = header(name, "a"), header("X-Own", "1")
    assert not refusals.repeats([once, other, other])
    assert refusals.repeats([once, other, header(name.upper(), "a")])


@pytest.mark.parametrize("name", ["Cookie", "Accept", "X-Own"])
def test_others_may_come_as_often_as_they_like(name):
    assert not refusals.repeats([header(name, "a"), header(name, "b")])


def test_methods():
    assert [bool(refusals.METHOD.fullmatch(method)) for method in ("GET", "M-SEARCH", "A_B", "get", "G T", "")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    assert (refusals.for_method("TRACE").status, refusals.for_method("get").status) == (405, 400)


def test_each_kind_of_failure_has_an_answer_of_the_right_class():
    for kind in FailureKind:
        refusal = refusals.for_failure(make_failure(kind))
        assert refusal.status == (504 if "TIMEOUT" in kind.name else 503 if kind is FailureKind.RESOLVE else 502)


def test_a_refusal_names_a_reason_that_is_known_and_an_error():
    made = [value for value in vars(refusals).values() if isinstance(value, Refuse)]
    assert len(made) > 8
    for refusal in made:
        assert refusal.reason in MEANINGS
        assert 400 <= refusal.status < 600
