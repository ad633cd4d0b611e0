"""A client that left, and an answer that is read on: who takes its place, and the bounds that end it."""

import asyncio

import pytest

from aimon_local.gateway import draining
from aimon_local.gateway.draining import Nobody
from aimon_local.model.ai import DRAIN
from tests.support.stage import Stage, make_answer, make_failure


def play(act, **bounds):
    """Run ``act(stage, exchange)`` on a stage whose one call drains, inside a loop; the stage."""

    async def run():
        stage = Stage()
        exchange = stage.ask()
        exchange.call.notes[DRAIN] = True
        stage.take()
        act(stage, exchange)
        await asyncio.sleep(0)
        return stage

    return asyncio.run(run())


def test_the_answer_is_read_to_its_end_and_the_row_is_incomplete():
    def act(stage, exchange):
        exchange.on_head(make_answer(), b"one", False)
        exchange.on_gone()
        assert stage.take() == [("start", 200, None, b"one"), ("up resume",)]
        exchange.on_data(b"two", False)
        assert stage.take() == []
        exchange.on_data(b"three", True)
        assert stage.take() == [("row", 200, False)]

    stage = play(act)
    assert stage.ledger.rows[0].bytes_out == len(b"onetwothree")


def test_a_client_that_leaves_before_the_head_is_drained_too():
    def act(stage, exchange):
        exchange.on_gone()
        exchange.on_head(make_answer(200, 2), b"ok", True)
        assert stage.take() == [("up resume",), ("row", 200, False)]

    play(act)


def test_without_the_tiers_word_or_with_a_body_that_is_not_all_here_the_upstream_is_cancelled():
    stage = Stage()
    exchange = stage.ask()
    exchange.on_head(make_answer(), b"one", False)
    exchange.on_gone()
    assert stage.take()[-2:] == [("up cancel",), ("row", 200, False)]
    stage = Stage(route={"request_buffering": False})
    exchange = stage.ask("POST", length=9)
    exchange.call.notes[DRAIN] = True
    exchange.on_body(b"part", False)
    exchange.on_gone()
    assert stage.take()[-2:] == [("up cancel",), ("row", 499, False)]


def test_nobody_is_answered_by_another_try():
    def act(stage, exchange):
        exchange.on_gone()
        exchange.on_failure(make_failure())
        assert stage.take() == [("up resume",), ("row", 502, False)]

    play(act)


def test_an_upstream_that_is_cut_ends_it():
    def act(stage, exchange):
        exchange.on_head(make_answer(), b"one", False)
        exchange.on_gone()
        exchange.on_failure(make_failure(sent=True))
        assert stage.take()[-1] == ("row", 200, False)

    play(act)


def test_bytes_have_a_bound(monkeypatch):
    monkeypatch.setattr(draining, "BYTES", 5)

    def act(stage, exchange):
        exchange.on_head(make_answer(), b"one", False)
        exchange.on_gone()
        exchange.on_data(b"four!", False)
        stage.take()
        exchange.on_data(b"6", False)
        assert stage.take() == [("up cancel",), ("row", 200, False)]

    play(act)


def test_time_has_a_bound(monkeypatch):
    monkeypatch.setattr(draining, "SECONDS", 0)
    stage = play(lambda stage, exchange: (exchange.on_head(make_answer(), b"one", False), exchange.on_gone()))
    assert stage.take()[-2:] == [("up cancel",), ("row", 200, False)]


@pytest.mark.parametrize("end", ["respond", "end", "abort"])
def test_an_end_takes_the_clock_away(end, monkeypatch):
    monkeypatch.setattr(draining, "SECONDS", 0)
    told = []

    async def run():
        nobody = Nobody(lambda: told.append(1))
        nobody.start(200, [], None, b"x")
        nobody.informational(103, [])
        nobody.want_body()
        nobody.pause()
        nobody.resume()
        nobody.respond(200, [], b"") if end == "respond" else getattr(nobody, end)()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert told == []
