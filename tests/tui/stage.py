"""A dashboard on a stage: fed by hand, no gateway; its screen read as plain text."""

from contextlib import asynccontextmanager

from aimon_local.client.admin import AdminClient
from aimon_local.client.stream import Attached, Lost, Told
from aimon_local.tui.app import Dashboard
from aimon_local.tui.feed import Feed
from aimon_local.tui.seen import Link
from tests.tui.made import DAY, consumer, event, limit, snapshot, tier

SIZES = ((80, 24), (120, 40), (200, 60))
NOW = DAY + 3600 * 10**9


class Played(Feed):
    """A feed that a test feeds; its clock stands still until it is moved."""

    def __init__(self, link=None):
        self.mono = 0
        super().__init__(AdminClient("http://127.0.0.1:1"), link or Link(), lambda: self.mono)

    def start(self):
        pass

    def stop(self):
        pass

    def refresh(self):
        pass


class Answers:
    """An Admin API with the answers of a test; ``asked`` notes what was asked."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def get(self, path, **query):
        return self._answer("GET", path, query)

    def post(self, path, body=None):
        return self._answer("POST", path, body)

    def patch(self, path, body):
        return self._answer("PATCH", path, body)

    def delete(self, path):
        return self._answer("DELETE", path, None)

    def pages(self, path):
        return iter(self._answer("PAGES", path, None))

    def _answer(self, method, path, given):
        self.asked.append((method, path, given))
        for name, answer in self.answers.items():
            if name in path:
                if isinstance(answer, Exception):
                    raise answer
                return answer
        return {"data": [], "consumer_groups": [], "limits": [], "key": "NEWKEY"} if method != "PAGES" else []


def busy():
    """A snapshot and events in which there is something of everything."""
    near = [limit("requests/day", 100, 85, 5), limit("cost/month", 5 * 10**8, 10**6)]
    document = snapshot(
        number=10,
        at=NOW,
        tiers=[tier("agent", 0), tier("free", 2, allowed=3, denied=1, reasons={"rate_limited": 1}), tier("pro", 1)],
        consumers=[
            consumer("ann", "free", near, allowed=3, denied=1, reasons={"rate_limited": 1}),
            consumer("bob", "pro"),
        ],
    )
    told = []
    for at in range(40):
        who, plan = (("ann", "free"), ("bob", "pro"), (None, None))[at % 3]
        reason = {2: "no_key", 3: "rate_limited"}.get(at % 8)
        made = event(
            at_ns=NOW + at * 10**8, consumer=who, tier=plan, deny_reason=reason, model=None if reason else "m-1",
            tokens=50 * at, cost=10**6, request_id=f"{at:032x}",
        )  # fmt: skip
        told.append((11 + at, "request", made))
    return document, told


@asynccontextmanager
async def stage(
    size=(120, 40), *, fed=True, link=None, admin=None, owns=False, folder=None, ascii_only=False, data=None
):
    """(app, pilot): a running dashboard; ``fed`` with something of everything."""
    feed = Played(link)
    app = Dashboard(admin or Answers(), feed, owns=owns, folder=folder, ascii_only=ascii_only)
    app.scripts = app.lessons = list  # no child process is asked what there is
    if fed:
        document, told = data or busy()
        feed.take(Attached(document))
        feed.take(Told(told))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(app, pilot)
        yield app, pilot


async def settle(app, pilot):
    """All that is under way is done, and painted."""
    if list(app.workers):
        await app.workers.wait_for_complete()
        await pilot.pause()
    app.paint(force=True)
    await pilot.pause()


async def press(app, pilot, *keys):
    """Keys, one after the other, each with what it does."""
    for key in keys:
        await pilot.press(key)
        await settle(app, pilot)


def text(app):
    """The screen as plain text."""
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in _strips(app))


def _strips(app):
    return app.screen._compositor.render_strips()


def lost(feed):
    """The gateway is gone."""
    feed.take(
        Lost("no gateway answers on http://127.0.0.1:8001: refused", "start one with: aimon-local up", 0.2, 3, False)
    )
