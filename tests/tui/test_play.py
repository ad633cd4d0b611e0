"""Scenarios from inside: what the child says, how a run reads, and the page around it."""

import asyncio
import json

import pytest

from aimon_local.tui.lines import UNICODE, plain
from aimon_local.tui.play import Player, Playing, Script, ended, program, told
from aimon_local.tui.views import scenarios as view
from tests.support.live import until
from tests.tui.stage import press, settle, stage, text

ACTOR = {
    "name": "ann",
    "expected": 8,
    "begun": 4,
    "done": 2,
    "sent": 5,
    "in_flight": 1,
    "late": 0,
    "refused": {"429": 3},
    "over": False,
}
PROGRESS = {"script": "one", "seconds": 1.5, "actors": [ACTOR], "holds": [["requests count==8", False]], "event": ""}
REPORT = {
    "script": "one", "about": "", "seed": 3, "passed": False, "interrupted": False, "seconds": 2.0,
    "checks": [
        {"text": "requests{actor:ann} count==8", "holds": False, "value": 7, "unit": "", "why": "one too few"},
        {"text": "denied rate<1", "holds": True, "value": 0.5, "unit": "", "why": ""},
    ],
    "actors": {"ann": {"requests": 7, "by_status": {"200": 4, "429": 3}, "by_reason": {"rate_limited": 3}}},
}  # fmt: skip


def shown(playing):
    return "\n".join(plain(line) for line in view.run(playing, 100, UNICODE))


def test_what_a_child_says():
    playing = Playing(("one", "two"))
    assert "one: setting up" in shown(playing)
    playing = told(told(playing, json.dumps(PROGRESS)), "no json")
    assert playing.said == ("no json",)
    assert "2/8" in shown(playing)
    assert "429:3" in shown(playing)
    assert "✗ requests count==8   so far" in shown(playing)
    assert playing.runs
    over = ended(playing, json.dumps([REPORT]), 1)
    assert not over.runs
    assert "✗ one failed  1 of 2 hold, seed 3, 2.0 s" in shown(over)
    assert "one too few" in shown(over)
    assert view.actors_of(REPORT) == ["ann"]


@pytest.mark.parametrize("out", ["", "no json"])
def test_a_run_that_could_not_be(out):
    over = ended(told(Playing(("one",)), "error: no such script"), out, 2)
    assert "could not be run (exit code 2)" in shown(over)
    assert "no such script" in shown(over)


@pytest.mark.parametrize("line", ["", "[]", "3", "null", '{"script": 1', "{}"])
def test_any_line_is_taken(line):
    told(Playing(("one",)), line)


def test_a_real_child_is_read_to_its_end():
    player = Player(("--virtual",), None, lambda: None)
    player.start(["lab-free-vs-pro"])
    player.start(["another"])  # one at a time
    until(lambda: player.playing.code is not None)
    assert player.playing.code == 0
    assert player.playing.reports[0]["passed"]
    player.close()


def test_a_run_is_stopped_with_the_dashboard():
    player = Player((), None, lambda: None)
    player.start(["no-such-script"])
    player.close()
    until(lambda: player.playing.code is not None)
    assert player.playing.code != 0


def test_program_is_this_one():
    assert program()[1:] == ["-P", "-m", "aimon_local"]


def test_the_page():
    async def play():
        async with stage() as (app, pilot):
            app.scripts = lambda: [Script("one", "shows [one] thing"), Script("two", "another")]
            begun = []
            app.player.start = begun.append
            await press(app, pilot, "3")
            assert "shows [one] thing" in text(app)
            assert "x runs the marked scenario" in text(app)
            await press(app, pilot, "j", "x", "X")
            assert begun == [["two"], ["one", "two"]]
            app.player.playing = ended(told(Playing(("one",)), json.dumps(PROGRESS)), json.dumps([REPORT]), 1)
            await settle(app, pilot)
            assert "✗ failed" in text(app)
            await press(app, pilot, "k", "enter")
            assert "filter: consumer:*ann*" in text(app)

    asyncio.run(play())


def test_the_report_is_saved(tmp_path):
    async def play():
        async with stage(folder=tmp_path) as (app, pilot):
            app.scripts = lambda: [Script("one", "")]
            await press(app, pilot, "3", "r")
            assert "nothing was played" in text(app)
            app.player.playing = ended(Playing(("one",)), json.dumps([REPORT]), 1)
            await press(app, pilot, "r")
            (saved,) = tmp_path.glob("*.json")
            assert json.loads(saved.read_text()) == [REPORT]

    asyncio.run(play())
