"""The gateway's clock from inside: words, and that they are asked for."""

import asyncio

import pytest

from aimon_local.client.stream import Told
from aimon_local.tui.views.clock import clock_moves
from tests.tui.stage import Answers, press, stage, text


@pytest.mark.parametrize(("second", "waits"), [(0, "61s"), (59, "2s"), (3599, "2s")])
def test_to_the_edge(second, waits):
    assert clock_moves(second * 10**9 + 5)["to the next minute"] == {"advance": waits}


def test_it_is_moved_from_anywhere():
    async def play():
        admin = Answers(**{"/clock": {"now": "2026-11-25T00:00:01Z"}})
        async with stage(admin=admin) as (app, pilot):
            refreshed = []
            app.feed.refresh = lambda: refreshed.append(1)
            await press(app, pilot, "C", "j", "j", "enter")
            assert admin.asked == [("POST", "/clock", {"advance": "82798s"})]
            assert "clock: 2026-11-25T00:00:01Z" in text(app)
            before = len(refreshed)
            app.feed.take(Told([(10**6, "clock", {"at_ns": 5})]))
            assert len(refreshed) == before + 1

    asyncio.run(play())
