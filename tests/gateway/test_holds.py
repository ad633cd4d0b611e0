"""Who waits for an answer goes on once: by the answer, or when its time is over."""

import asyncio

from aimon_local.gateway import holds
from aimon_local.gateway.holds import Holds


def test_an_answer_lets_all_of_its_question_go_on_in_their_order():
    async def story():
        waiting, heard = Holds(), []
        for name in "ab":
            assert waiting.wait("q1", 60, lambda name=name: heard.append(name))
        assert waiting.wait("q2", 60, lambda: heard.append("other"))
        waiting.answered("q1")
        waiting.answered("q1")  # nobody waits any more
        assert heard == ["a", "b"]
        waiting.answered("q2")
        assert heard == ["a", "b", "other"]

    asyncio.run(story())


def test_time_that_is_over_lets_it_go_on_once():
    async def story():
        waiting, heard, over = Holds(), [], asyncio.Event()
        assert waiting.wait("q", 0, over.set)
        assert waiting.wait("q", 60, lambda: heard.append("late"))
        await over.wait()
        waiting.answered("q")
        assert heard == ["late"]

    asyncio.run(story())


def test_no_more_wait_than_the_bound(monkeypatch):
    monkeypatch.setattr(holds, "MOST", 2)

    async def story():
        waiting = Holds()
        assert waiting.wait("q", 60, int)
        assert waiting.wait("q", 60, int)
        assert not waiting.wait("q", 60, int)
        waiting.answered("q")
        assert waiting.wait("q", 60, int)
        waiting.answered("q")

    asyncio.run(story())
