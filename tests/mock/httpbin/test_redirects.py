"""Statuses by weight, and redirections that can't be made."""

import random

import pytest

from aimon_local.mock.httpbin.ask import World
from tests.support.asks import ask


def test_weights_decide_how_often():
    world = World(random=random.Random(5))
    seen = [ask("/status/200:3,500:1", world=world).status for _ in range(400)]
    assert set(seen) == {200, 500}
    assert 250 < seen.count(200) < 350
    assert {ask("/status/200:0,500:1", world=world).status for _ in range(50)} == {500}


@pytest.mark.parametrize(
    "codes", ["200:-1,300:2", "200:0,300:0", "200:nan,300", "200:inf,300", "100", "199", "1000", "99", "0,200"]
)
def test_codes_and_weights_that_can_not_be_answered(codes):
    assert ask(f"/status/{codes}").status == 400


@pytest.mark.parametrize("target", ["/redirect-to", "/redirect-to?url=", "/redirect-to?url=a%0d%0ab", "/redirect/0"])
def test_redirections_without_a_usable_target(target):
    assert ask(target).status == 400
