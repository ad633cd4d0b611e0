"""Pictures in plain text of a fixed state: ``UPDATE=1 python -m pytest tests/tui/test_views.py`` makes them anew."""

import asyncio
import os
from pathlib import Path

import pytest

from aimon_local.tui.seen import Link
from tests.tui.stage import lost, press, settle, stage, text
from tests.tui.test_app import answers

PICTURES = Path(__file__).parent / "pictures"

PAGES = {
    "tiers-80x24": ((80, 24), ()),
    "tiers-120x40": ((120, 40), ()),
    "tiers-200x60": ((200, 60), ()),
    "requests-80x24": ((80, 24), ("2",)),
    "requests-200x60": ((200, 60), ("2",)),
    "request-120x40": ((120, 40), ("2", "enter")),
    "consumers-120x40": ((120, 40), ("down", "enter")),
    "consumer-120x40": ((120, 40), ("down", "enter", "enter")),
    "help-80x24": ((80, 24), ("question_mark",)),
}


def compared(name, shown):
    path = PICTURES / f"{name}.txt"
    if os.environ.get("UPDATE"):
        PICTURES.mkdir(exist_ok=True)
        path.write_text(shown + "\n", encoding="utf-8")
    assert shown + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_pages(name):
    size, ways = PAGES[name]

    async def play():
        async with stage(size, admin=answers()) as (app, pilot):
            await press(app, pilot, *ways)
            compared(name, text(app))

    asyncio.run(play())


def test_ascii():
    async def play():
        async with stage((120, 40), ascii_only=True) as (app, _):
            compared("tiers-ascii-120x40", text(app))

    asyncio.run(play())


@pytest.mark.parametrize("name", ["empty", "lost"])
def test_nothing_to_see(name):
    async def play():
        async with stage((120, 40), fed=name == "lost", link=Link(key="A-KEY")) as (app, pilot):
            lost(app.feed)
            await settle(app, pilot)
            compared(name, text(app))

    asyncio.run(play())
