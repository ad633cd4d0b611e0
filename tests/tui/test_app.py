"""The dashboard as it is used: every key, three sizes, bursts, gaps, a gateway that goes, a terminal that changes."""

import asyncio
import csv
from contextlib import contextmanager

import pytest

from aimon_local.client.admin import AdminError
from aimon_local.client.stream import Attached, Told
from aimon_local.tui import keys
from aimon_local.tui.app import LEFT_RUNNING, THEMES
from aimon_local.tui.pages import PAGES
from aimon_local.tui.pages.dialogs import Ask, Help, Pick
from aimon_local.tui.seen import Link
from tests.tui.made import event, limit, snapshot
from tests.tui.stage import NOW, SIZES, Answers, busy, lost, press, settle, stage, text

ROW = {**event(request_id="0" * 32), "route": "demo", "service": "demo", "ai": None}
EXPLAINED = {
    "request_id": "0" * 32, "at": "2026-11-24T10:00:00Z", "verdict": "deny", "summary": "Refused with 429.",
    "phases": [
        {"phase": "receive", "method": "POST"}, {"phase": "route", "route": "demo"}, {"phase": "identify", "consumer": "ann"},
        {"phase": "admit", "decision": "deny", "reason": "request_limit"}, {"phase": "record", "status": 429},
    ],
    "limits": [{"name": "requests/day", "account": "", "amount": 5, "before": 5, "held": 0, "after": 5, "resets_at": None}],
    "denial": {"reason": "request_limit", "limit": "requests/day", "passes_at": None},
}  # fmt: skip


def answers():
    """What the gateway says of any request, and of any consumer."""
    return Answers(**{
        "explain": EXPLAINED, "/check": {"denial": None}, "/requests/": ROW, "/key-auth": [{"id": "k1", "key": "x"}],
        "/snapshot": {"limits": [limit("requests/day", 100, 90, 4)]},
    })  # fmt: skip


def run(coroutine):
    asyncio.run(coroutine)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_key_of_the_table_everywhere(size, tmp_path):
    """Each key on each page, at each size: nothing breaks, and the frame stays whole."""

    async def play():
        async with stage(size, admin=answers(), folder=tmp_path) as (app, pilot):
            ways = {"tiers": (), "requests": ("2",), "request": ("2", "enter"), "consumer": ("down", "enter", "enter")}
            for page, way in ways.items():
                for each in keys.of(page):
                    if each.key in ("q", "colon") or page not in (each.where, "tiers"):
                        continue
                    for key in ("1", *way, each.key):
                        await pilot.press(key)
                        if app.workers:
                            await app.workers.wait_for_complete()
                    await settle(app, pilot)
                    if not isinstance(app.screen, (Ask, Help, Pick)):
                        rows = text(app).splitlines()
                        assert "Tiers" in rows[0], (page, each)
                        assert "enter" in rows[-1], (page, each)
                    await pilot.press("escape", "escape")
                    app._held = None
            assert app.return_code in (None, 0)

    run(play())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_from_a_number_down_to_the_request(size):
    async def play():
        async with stage(size, admin=answers()) as (app, pilot):
            assert "free" in text(app)
            await press(app, pilot, "down", "enter")
            assert "ann" in text(app)
            await press(app, pilot, "enter")
            assert "requests/day" in text(app)
            await press(app, pilot, "enter")
            shown = text(app)
            assert "1 receive" in shown
            assert "7 settle   not reached" in shown
            assert "denied by" in shown
            await press(app, pilot, "escape", "escape", "escape")
            assert app.screen.NAME == "tiers"

    run(play())


def test_filter_words():
    async def play():
        async with stage() as (app, pilot):
            await press(app, pilot, "slash", *"status:4xx", "enter")
            assert "filter: status:4xx" in text(app)
            assert "allow" not in text(app).split("DECISION")[1]
            await press(app, pilot, "escape")
            assert "40 of 40" in text(app)
            await press(app, pilot, "slash", *"nonsense:1")
            assert "nonsense: is no filter word" in text(app)
            await press(app, pilot, "escape", "escape", "1", "d")
            assert "filter: decision:deny" in text(app)

    run(play())


def test_the_tail_follows_until_one_scrolls_up():
    def more(app, start):
        told = [
            (n, "request", event(at_ns=NOW, consumer="ann", tier="free", request_id=f"n{n}"))
            for n in range(start, start + 5)
        ]
        app.feed.take(Told(told))

    async def play():
        async with stage(admin=answers()) as (app, pilot):
            await press(app, pilot, "2")
            grid = app.screen.query_one("#tail")
            more(app, 100)
            await settle(app, pilot)
            assert grid.key == "n104"
            await press(app, pilot, "up", "up")
            more(app, 200)
            await settle(app, pilot)
            assert grid.key == "n102"
            assert "+7 new below" in text(app)
            await press(app, pilot, "G")
            assert grid.key == "n204"

    run(play())


def test_freezing_loses_nothing():
    async def play():
        async with stage() as (app, pilot):
            before = text(app)
            await press(app, pilot, "space")
            app.feed.take(
                Told([(90, "request", event(at_ns=NOW, consumer="mallory", tier="pro", deny_reason="rate_limited"))])
            )
            await settle(app, pilot)
            assert "FROZEN, 40 events behind" in text(app)
            assert "mallory" not in text(app)
            assert before.splitlines()[2:] == text(app).splitlines()[2:]
            await press(app, pilot, "space")
            assert "mallory" in text(app)

    run(play())


def test_no_paint_when_nothing_changed():
    async def play():
        async with stage() as (app, _):
            app.paint()
            painted = app.paints
            for _ in range(20):
                app.paint()
            assert app.paints == painted
            app.feed.mono += 10**9  # rates fade
            app.paint()
            assert app.paints == painted + 1
            app.feed.mono += 120 * 10**9
            app.paint()
            painted = app.paints
            app.feed.mono += 10**9  # nothing fades any more
            app.paint()
            assert app.paints == painted

    run(play())


def test_a_burst_is_one_paint():
    async def play():
        async with stage() as (app, _):
            painted = app.paints
            told = [(n, "request", event(at_ns=NOW, consumer=f"c{n % 50}", tier="free")) for n in range(1000, 2000)]
            for at in range(0, 1000, 10):
                app.feed.take(Told(told[at : at + 10]))
            app.paint()
            assert app.paints == painted + 1
            assert app.feed.state.tiers["free"].sums.allowed > 1000

    run(play())


def test_a_lost_gateway_is_a_state():
    async def play():
        async with stage() as (app, pilot):
            lost(app.feed)
            await settle(app, pilot)
            assert "✗ lost" in text(app)
            assert "free" in text(app)  # what was known stays
            app.feed.take(Attached(snapshot(number=10**6, at=NOW)))
            await settle(app, pilot)
            assert "✓ up" in text(app)
            app.feed.take(Told([(10**6 + 9, "gap", {"after": 1, "next": 9, "reason": "overrun", "missed": 7})]))
            await settle(app, pilot)
            assert "7 events missed" in text(app)

    run(play())


def test_nobody_there_and_nothing_yet():
    async def play():
        async with stage(fed=False, link=Link(key="THE-KEY")) as (app, pilot):
            lost(app.feed)
            await settle(app, pilot)
            assert "No gateway answers on http://127.0.0.1:8001 yet." in text(app)
            assert "aimon-local up" in text(app)
            app.feed.take(Attached(snapshot()))
            await settle(app, pilot)
            assert "-H 'apikey: THE-KEY'" in text(app)
            await press(app, pilot, "y")
            assert app.clipboard.startswith("curl -i http://127.0.0.1:8000/demo")
            await press(app, pilot, "2")
            assert "curl -i http://127.0.0.1:8000/demo/v1/chat/completions" in text(app)

    run(play())


def test_the_terminal_changes_its_size():
    async def play():
        async with stage((200, 60)) as (app, pilot):
            assert "60 STEPS" in text(app)
            for width, height in ((80, 24), (20, 5), (120, 40), (200, 60)):
                await pilot.resize_terminal(width, height)
                await settle(app, pilot)
            assert "60 STEPS" in text(app)
            await press(app, pilot, "2")
            await pilot.resize_terminal(40, 10)
            await settle(app, pilot)
            assert "TIME" in text(app)

    run(play())


def test_what_becomes_of_our_own_gateway_is_asked():
    async def play(key, left):
        async with stage(owns=True) as (app, pilot):
            await press(app, pilot, "q")
            assert "Stop the gateway too?" in text(app)
            await press(app, pilot, "escape")
            assert app._exit is False
            await press(app, pilot, "q")
            await pilot.press(key)
            await pilot.pause()
            assert (app._exit, app.return_value) == (True, left)

    run(play("y", None))
    run(play("n", LEFT_RUNNING))


def test_copy_and_export(tmp_path):
    async def play():
        data = busy()
        data[1].append((99, "request", event(at_ns=NOW, consumer="=cmd()", tier="free")))
        async with stage(admin=answers(), folder=tmp_path, data=data) as (app, pilot):
            await press(app, pilot, "2", "y")
            assert app.clipboard == data[1][-1][2]["request_id"]
            await press(app, pilot, "e")
            (made,) = tmp_path.glob("*.csv")
            with made.open(newline="") as file:
                rows = list(csv.DictReader(file))
            assert (len(rows), rows[-1]["consumer"]) == (41, "'=cmd()")
            (picture,) = tmp_path.glob("*.svg")
            assert picture.read_text().startswith("<svg")
            await press(app, pilot, "enter", "c")
            assert app.clipboard.startswith("curl -i http://127.0.0.1:8000")

    run(play())


def test_actions_on_a_consumer_ask_first():
    async def play():
        admin = answers()
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "down", "enter", "enter", "m")
            assert isinstance(app.screen, Pick)
            await press(app, pilot, "escape")
            assert not [each for each in admin.asked if each[0] in ("POST", "DELETE")]
            await press(app, pilot, "m", "end", "enter")
            assert ("POST", "/consumers/ann/consumer_groups", {"group": "pro"}) in admin.asked
            await press(app, pilot, "K", "end", "enter")
            assert isinstance(app.screen, Ask)
            await press(app, pilot, "n")
            assert not [each for each in admin.asked if each[0] == "DELETE"]
            await press(app, pilot, "K", "end", "enter", "y")
            assert ("DELETE", "/consumers/ann/key-auth/k1", None) in admin.asked

    run(play())


def test_a_refusal_is_told():
    async def play():
        admin = answers()
        admin.answers["explain"] = AdminError("no [such] request", "look at /requests", 404)
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "2", "enter")
            assert "no [such] request" in text(app)

    run(play())


def test_themes_and_ascii():
    async def play():
        async with stage(ascii_only=True) as (app, pilot):
            for _ in THEMES:
                await press(app, pilot, "t")
                assert "free" in text(app)
            assert app.theme == THEMES[0]
        async with stage(ascii_only=True, size=(200, 60)) as (app, pilot):
            body = "\n".join(text(app).splitlines()[5:])
            assert body.isascii()

    run(play())


def test_the_mouse_opens_pages_and_rows():
    async def play():
        async with stage(admin=answers()) as (app, pilot):
            at = text(app).splitlines()[0].index("Requests")
            await pilot.click("#tabs", offset=(at + 1, 0))
            await settle(app, pilot)
            assert app.screen.NAME == "requests"
            await pilot.click("#tail", offset=(5, 3))
            await pilot.click("#tail", offset=(5, 3))
            await settle(app, pilot)
            assert app.screen.NAME == "request"

    run(play())


def test_the_command_palette_knows_every_key():
    async def play():
        async with stage() as (app, _):
            names = [each.title for each in app.get_system_commands(app.screen)]
            for each in keys.of("tiers"):
                assert f"{each.label} ({each.shown})" in names

    run(play())


def test_help_lists_every_key_and_scrolls():
    async def play():
        async with stage((80, 24)) as (app, pilot):
            await press(app, pilot, "question_mark")
            assert "everywhere" in text(app)
            await press(app, pilot, "end")
            assert "esc closes this" in text(app)
            await press(app, pilot, "escape")
            assert app.screen.NAME == "tiers"

    run(play())


def test_every_page_has_a_key():
    wanted = {each.action.removeprefix("page('").removesuffix("')") for each in keys.pages()}
    assert set(PAGES) <= wanted


@contextmanager
def _environ(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    yield


def test_no_colour(monkeypatch):
    async def play():
        with _environ(monkeypatch, NO_COLOR="1"):
            async with stage() as (app, pilot):
                assert app.no_color
                await press(app, pilot, "2")
                assert "✗ deny: rate_limited" in text(app)

    run(play())
