"""Bytes that are drawn or come slowly: waiting is data, chance is given."""

import random

import pytest

from aimon_local.mock.httpbin.ask import World
from tests.support.asks import ask, sent


def pauses(reply):
    return [part for part in reply.body if isinstance(part, float)]


@pytest.mark.parametrize(("target", "wait"), [("/delay/0.5", 0.5), ("/delay/3", 3.0), ("/delay/99", 10.0)])
def test_delay_waits_before_the_head_ten_seconds_at_most(target, wait):
    assert ask(target).wait == wait


@pytest.mark.parametrize(
    "target", ["/delay/-1", "/delay/nan", "/delay/inf", "/drip?delay=-1", "/drip?duration=inf", "/drip?code=99"]
)
def test_what_can_not_be_waited_for_is_refused(target):
    assert ask(target).status == 400


def test_drip_spreads_bytes_over_the_duration():
    reply = ask("/drip?numbytes=4&duration=2&delay=1&code=206")
    assert (reply.status, reply.wait, reply.length) == (206, 1.0, 4)
    assert list(reply.body) == [b"*", 0.5, b"*", 0.5, b"*", 0.5, b"*", 0.5]


def test_drip_draws_unkeepable_pauses_together():
    parts = list(ask("/drip?numbytes=1000000&duration=1").body)
    assert sum(len(p) for p in parts if isinstance(p, bytes)) == 1_000_000
    assert sum(p for p in parts if isinstance(p, float)) == pytest.approx(1.0)
    assert len(parts) < 500


def test_drip_gives_ten_mebibytes_at_most():
    reply = ask("/drip?numbytes=99999999999&duration=0")
    assert reply.length == 10 * 1024 * 1024 == sum(map(len, reply.body))


def test_range_pauses_for_each_byte():
    reply = ask("/range/10?duration=5&chunk_size=4")
    assert pauses(reply) == [2.0, 2.0, 1.0]
    assert sent(ask("/range/10?duration=5&chunk_size=4")) == b"abcdefghij"


def test_the_same_chance_gives_the_same_answers():
    def drawn(seed):
        world = World(random=random.Random(seed))
        return [ask(t, world=world).body for t in ("/uuid", "/bytes/9", "/status/200,201,202,203")]

    assert drawn(1) == drawn(1) != drawn(2)
