"""GET /events: its arguments, and where a stream begins."""

import asyncio

import pytest

from aimon_local.client.events import parsed
from aimon_local.model.event import KINDS
from tests.support.admin import AdminUnderTest
from tests.support.ledger import usage_row


@pytest.fixture
def admin():
    made = AdminUnderTest()
    made.events.committed([usage_row(number) for number in range(5)])
    made.events.close()
    return made


def numbers(admin, query="", **fields):
    """The numbers that a stream gives, counted from the first event's."""

    async def run():
        sent = [(name.replace("_", "-"), value) for name, value in fields.items()]
        response = await admin.app("GET", f"/events{query}", sent)
        assert response.status == 200
        assert ("Content-Type", "text/event-stream") in response.fields
        assert ("Cache-Control", "no-cache") in response.fields
        return b"".join([piece async for piece in response.body])

    told = parsed(asyncio.run(run()).splitlines(keepends=True))
    return [each.number - admin.events.base for each in told]


def test_where_it_begins(admin):
    base = admin.events.base
    assert numbers(admin) == []
    assert numbers(admin, f"?after={base + 2}") == [3, 4, 5]
    assert numbers(admin, Last_Event_ID=str(base + 3)) == [4, 5]
    assert numbers(admin, f"?after={base}", Last_Event_ID=str(base + 3)) == [4, 5]  # it came back by itself
    assert numbers(admin, f"?after={base + 2}", Last_Event_ID="") == [3, 4, 5]
    assert numbers(admin, "?after=7") == [0, 1, 2, 3, 4, 5]  # of an earlier run: a gap, then all


def test_kinds(admin):
    base = admin.events.base
    assert numbers(admin, f"?after={base}&kinds=request,start") == [1, 2, 3, 4, 5]
    assert numbers(admin, f"?after={base}&kinds=config") == []


@pytest.mark.parametrize(
    ("query", "fields", "says"),
    [
        ("?after=x", {}, "after must be a whole number from 0 up, not 'x'"),
        ("?after=", {}, "after must be a whole number from 0 up, not ''"),
        ("", {"Last_Event_ID": "-1"}, "Last-Event-ID must be a whole number from 0 up, not '-1'"),
        ("?kinds=gap", {}, f"kinds must be some of {', '.join(KINDS)}, by comma, not 'gap'"),
        ("?kinds=", {}, f"kinds must be some of {', '.join(KINDS)}, by comma, not ''"),
        ("?kinds=start,request%20", {}, f"kinds must be some of {', '.join(KINDS)}, by comma, not 'request '"),
    ],
)
def test_arguments_that_mean_nothing(admin, query, fields, says):
    assert admin.ask("GET", f"/events{query}", **fields) == (400, {"message": says})


def test_it_can_only_be_read(admin):
    assert admin.ask("POST", "/events")[0] == 405
