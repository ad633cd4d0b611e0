"""Money, Agents, Policy and Lab: what they show and what they ask the gateway to do."""

import asyncio

import pytest

from aimon_local.client.admin import AdminError
from aimon_local.client.stream import Told
from aimon_local.policy.insights import INSIGHTS
from aimon_local.tui.lines import UNICODE, plain
from aimon_local.tui.views import insights, lab, money, policy
from tests.tui.made import event
from tests.tui.stage import NOW, Answers, press, settle, stage, text

FREE = {
    "id": "t1",
    "created_at": 1,
    "updated_at": 2,
    "name": "free",
    "consumer": None,
    "concurrency": 4,
    "limits": [{"amount": 5}],
}
ARMED = {
    "data": [
        {"tier": "free", "rule": "requests/day", "consumers": 2, "routes": 1, "fault": None},
        {"tier": "free", "rule": "cost/day", "consumers": 0, "routes": 1, "fault": "the price book is empty"},
    ]
}
ZERO = {
    "calls": 40,
    "allowed": 30,
    "denied": 10,
    "cost": "1.00",
    "charge": "2.00",
    "fees": "0",
    "revenue": "2.00",
    "margin": "1.00",
}
WHAT_IF = {
    "plans": [
        {
            "recorded": {"total": ZERO},
            "other": {"total": {**ZERO, "charge": "9.99"}},
            "newly_denied": 7,
            "newly_allowed": 2,
        }
    ]
}
QUESTION = {
    "id": "q[1]", "consumer": "ann", "limit": "tokens/day", "used": 100, "amount": 100, "asked": 3, "state": "pending",
    "ends": "2026-11-25T00:00:00Z",
}  # fmt: skip
GUARDS = {
    "data": [
        {"consumer": "bot", "guards": {"repeat": "deny"}, "cool_down_until": "2026-11-24T23:00:00Z", "by": "repeat"}
    ]
}
LESSON = {
    "lesson": "article", "title": "Sell it", "done": False, "step": 1, "why": "its name is x; this step wants y",
    "addresses": {"proxy": "http://127.0.0.1:9"},
    "steps": [
        {"title": "One", "why": "", "run": "", "look": "", "done": True},
        {"title": "Two", "why": "Because.", "run": "curl http://localhost:8000/ai", "look": "200", "done": False},
    ],
}  # fmt: skip


def played(coroutine):
    asyncio.run(coroutine())


def test_money_by_everything_and_what_if():
    async def play():
        admin = Answers(**{"/what-if": WHAT_IF})
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "5")
            assert "today by tier: revenue $0.0600" in text(app)
            assert "free" in text(app)
            await press(app, pilot, "s")
            assert "today by consumer" in text(app)
            assert "ann" in text(app)
            await press(app, pilot, "s")
            assert "m-1" in text(app)
            await press(app, pilot, "p", *"nonsense", "enter")
            assert not admin.asked
            app.screen.query_one("Input").value = "mock-small 1 4"
            await press(app, pilot, "enter")
            (asked,) = admin.asked
            assert asked[2]["plans"][0]["offers"] == {
                "model_prices": [{"model": "mock-small", "input": 1.0, "output": 4.0}]
            }
            assert "charge $9.99" in text(app)
            assert "deny 7 more" in text(app)

    played(play)


INSIGHT = {
    "columns": ["consumer", "verdict"], "method": "By the fullest window.",
    "data": [{"consumer": f"c{at}[red]", "verdict": "maxed_out"} for at in range(50)],
}  # fmt: skip


def test_money_shows_alerts_and_then_each_insight_with_its_method():
    async def play():
        admin = Answers(**{"/insights": INSIGHT})
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "5", "i")
            assert "Nothing to tell." in text(app)
            await press(app, pilot, "i")
            shown = text(app)
            assert "c0[red]" in shown  # a name is no markup
            assert "By the fullest window." in shown
            assert "more: aimon-local insights sla" in shown
            await press(app, pilot, *("i",) * (len(insights.NAMES) - 2), "i", "escape")
            assert "Nothing to tell." not in text(app)
            asked = [path for _, path, _ in admin.asked]
            assert asked == [insights.path(name) for name in (*insights.NAMES, "alerts")]

    played(play)


def test_all_insights_can_be_asked():
    assert set(insights.NAMES) == {"alerts", *INSIGHTS}


@pytest.mark.parametrize(("words", "offers"), [
    ("pro 150", {"price_plans": {"pro": {"markup_percent": 150.0}}}),
    ("m 1 2", {"model_prices": [{"model": "m", "input": 1.0, "output": 2.0}]}),
])  # fmt: skip
def test_what_if_words(words, offers):
    assert money.asked(words) == offers


@pytest.mark.parametrize("words", ["", "pro", "pro x", "a 1 2 3"])
def test_what_if_words_that_are_none(words):
    assert isinstance(money.asked(words), str)


def test_a_question_is_answered_after_it_is_asked_twice():
    async def play():
        admin = Answers(
            **{"/approve": {**QUESTION, "state": "approved"}, "/approvals": {"data": [QUESTION]}, "/guards": GUARDS}
        )
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "4")
            shown = text(app)
            assert "▲ pending" in shown
            assert "bot" in shown
            assert "cools down until 2026-11-24T23:00:00Z, stopped by repeat" in shown
            await press(app, pilot, "a", "n")
            assert not [each for each in admin.asked if each[0] == "POST"]
            await press(app, pilot, "a", "y")
            assert ("POST", "/approvals/q%5B1%5D/approve", None) in admin.asked
            await press(app, pilot, "enter")
            assert app.screen.NAME == "consumer"

    played(play)


def test_the_tree_of_agents_is_of_the_tail():
    async def play():
        async with stage(admin=Answers(**{"/guards": GUARDS})) as (app, pilot):
            made = event(at_ns=NOW, consumer="bot", tier="agent", model="m-1", tokens=80)
            made["ai"] |= {"agent": "bot", "owner": "ann", "run": "r-1", "guard": "repeat:warn"}
            app.feed.take(Told([(100, "request", made), (101, "request", made)]))
            await press(app, pilot, "4")
            lines = text(app).splitlines()
            at = next(at for at, line in enumerate(lines) if line == " ann")
            assert "bot" in lines[at + 1]
            assert "run r-1  2 calls  160 tokens" in lines[at + 2]
            assert "repeat:warn:2" in lines[at + 2]

    played(play)


def policy_answers():
    return Answers(**{
        "/armed": ARMED, "/what-if": WHAT_IF, "/validate": {"message": "schema validation successful"}, "/tiers": [FREE],
    })  # fmt: skip


def test_policy_is_edited_behind_a_diff_and_taken_back():
    async def play():
        admin = policy_answers()
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "6", "j")
            shown = text(app)
            assert "acts on 2 consumers, 1 routes" in shown
            assert "the price book is empty" in shown
            await press(app, pilot, "E")
            area = app.screen.query_one("TextArea")
            area.text = area.text.replace("4", "oops")
            await settle(app, pilot)
            assert "line 4" in app.screen.said
            await press(app, pilot, "f2")
            assert "line 4" in app.screen.said  # what can't be read is not handed over
            area.text = area.text.replace("oops", "9")
            await settle(app, pilot)
            assert app.screen.said == "good"
            await press(app, pilot, "f3")
            assert "of 40 recorded calls it would have denied 7 more" in app.screen.said
            await press(app, pilot, "f2")
            assert '+  "concurrency": 9' in text(app)
            await press(app, pilot, "y")
            assert ("PATCH", "/tiers/t1", {"concurrency": 9}) in admin.asked
            await press(app, pilot, "u", "y")
            assert admin.asked[-1][0] == "PAGES" or ("PATCH", "/tiers/t1", {"concurrency": 4}) in admin.asked
            assert ("PATCH", "/tiers/t1", {"concurrency": 4}) in admin.asked

    played(play)


def test_what_the_gateway_thinks_of_an_edit_is_said():
    async def play():
        admin = policy_answers()
        admin.answers["/validate"] = AdminError("schema violation (concurrency: [bad])", status=400)
        async with stage(admin=admin) as (app, pilot):
            await press(app, pilot, "6", "j", "E")
            area = app.screen.query_one("TextArea")
            area.text = area.text.replace("4", "5")
            await settle(app, pilot)
            assert app.screen.said == "schema violation (concurrency: [bad])"

    played(play)


def test_changes_are_what_a_patch_takes():
    assert policy.changed(FREE, {"name": "free", "limits": []}) == {"limits": [], "concurrency": None}
    assert policy.changed(FREE, {name: FREE[name] for name in ("name", "consumer", "concurrency", "limits")}) == {}
    assert policy.read("[1]") == "it must be one JSON object"
    assert "line 2" in policy.read('{\n"a" 1}')


def test_lessons_are_ticked_off():
    shown = "\n".join(plain(line) for line in lab.lesson(LESSON, 80, UNICODE))
    assert "1 of 2 done" in shown
    assert "✓  1 One" in shown
    assert "→  2 Two" in shown
    assert "curl http://127.0.0.1:9/ai" in shown
    assert "not yet: its name is x" in shown
    assert "the lesson is done" in plain(lab.lesson({**LESSON, "done": True}, 80, UNICODE)[-1])


def test_the_lab_page():
    async def play():
        async with stage(admin=Answers(**{"/lab": LESSON})) as (app, pilot):
            app.lessons = lambda: [{"name": "article", "title": "Sell it", "steps": 2, "about": "All of [it]."}]
            await press(app, pilot, "7")
            assert "All of [it]." in text(app)
            assert "→  2 Two" in text(app)
            await press(app, pilot, "y")
            assert app.clipboard == "curl http://127.0.0.1:9/ai"

    played(play)


def test_no_lesson_under_way():
    async def play():
        async with stage(admin=Answers(**{"/lab": AdminError("none", status=404)})) as (app, pilot):
            app.lessons = list
            await press(app, pilot, "7")
            assert "Mark a lesson" in text(app)

    played(play)
