"""The feed: everything once, in order, from where a reader was."""

from aimon_local.storage.feed import Feed
from tests.support.ledger import HOUR, NOON, add, on_ledger, usage_row


def test_pages_hold_every_row_once_and_in_order(tmp_path):
    async def steps(writer, database):
        for number in range(25):
            await add(writer, usage_row(number))
        feed, seen, at = Feed(database), [], 0
        while page := feed.after(at, 10):
            seen += [each.row.request_id for each in page]
            at = page[-1].seq
        assert seen == [f"{number:032x}" for number in range(25)]
        assert (at, feed.last()) == (25, 25)
        assert feed.after(at, 10) == []

    on_ledger(tmp_path, steps)


def test_a_span_begins_and_ends_where_it_says(tmp_path):
    async def steps(writer, database):
        for number in range(6):
            await add(writer, usage_row(number, at_ns=NOON + number * HOUR))
        found = Feed(database).after(0, 100, NOON + 2 * HOUR, NOON + 5 * HOUR)
        assert [each.row.at_ns for each in found] == [NOON + hours * HOUR for hours in (2, 3, 4)]

    on_ledger(tmp_path, steps)


def test_an_empty_ledger_has_no_last_row(tmp_path):
    async def steps(writer, database):
        assert (Feed(database).last(), Feed(database).after(0, 10)) == (0, [])

    on_ledger(tmp_path, steps)
