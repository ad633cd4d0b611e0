"""Names that would break a dashboard that reads them as markup, on every page that shows any."""

import asyncio

import pytest

from aimon_local.client.stream import Attached, Told
from tests.tui.made import consumer, event, limit, snapshot, tier
from tests.tui.stage import NOW, Answers, press, settle, stage, text
from tests.tui.test_lines import NASTY


def answers(name):
    row = {**event(request_id=name, consumer=name), "route": name, "service": name}
    explained = {
        "request_id": name, "at": name, "verdict": "deny", "summary": name * 2,
        "phases": [{"phase": "receive", name: name, "list": [name], "map": {name: name}}], "limits": [
            {"name": name, "account": name, "amount": 1, "before": 1, "held": 1, "after": name, "resets_at": name}
        ], "denial": {name: name},
    }  # fmt: skip
    keys = [{"id": name, "key": name, "ttl": 5}]
    limits = {"limits": [limit(name, 100, 90, account=name)]}
    return Answers(**{"explain": explained, "/requests/": row, "/key-auth": keys, "/snapshot": limits})


@pytest.mark.parametrize("name", NASTY, ids=lambda name: ascii(name)[:20])
def test_a_name_is_data_on_every_page(name):
    async def play():
        limits = [limit(name, 100, 85, account=name)]
        document = snapshot(
            at=NOW, tiers=[tier(name, reasons={name: 3}, denied=3)], consumers=[consumer(name, name, limits)],
            models=[], routes={"r1": name}, version=name,
        )  # fmt: skip
        told = [
            (
                1,
                "request",
                event(at_ns=NOW, consumer=name, tier=name, deny_reason=name or "x", model=name, request_id=name),
            )
        ]
        told += [(2, "request", event(at_ns=NOW, consumer=name, tier=name, model=name)), (3, "news", {name: name})]
        async with stage(fed=False, admin=answers(name)) as (app, pilot):
            app.feed.take(Attached(document))
            app.feed.take(Told(told))
            await settle(app, pilot)
            for ways in (("1",), ("1", "enter"), ("1", "enter", "enter"), ("2",), ("2", "enter"), ("2", "f", "y")):
                await press(app, pilot, "1", *ways)
                shown = text(app)
                assert "\x1b" not in shown
                assert "\u202e" not in shown
                if name == "[/x]":
                    assert "[/x]" in shown

    asyncio.run(play())
