"""The store without threads: the same rows by the same code, and nothing waits for anybody."""

import asyncio
import sqlite3
import threading
from contextlib import closing

from aimon_local.storage.database import THROW_AWAY, Database
from aimon_local.storage.queries import Queries
from aimon_local.storage.writer import LedgerWriter
from tests.support.ledger import usage_row


def test_rows_are_committed_on_the_loop_and_can_be_read_at_once(tmp_path):
    async def main():
        database = Database.open(tmp_path, synchronous=THROW_AWAY)
        writer = LedgerWriter(database)
        queries = await Queries.open(database)
        assert not [each for each in threading.enumerate() if each.name == "ledger"]
        told = []
        for number in range(1, 6):
            writer.add(usage_row(number), [], told.append)
        for _ in range(10):
            await asyncio.sleep(0)
        assert told == [None] * 5
        assert [row.request_id for row in (await queries.usage_rows()).rows] == [
            usage_row(number).request_id for number in range(5, 0, -1)
        ]
        verdict = [check for check in (await queries.verify(0)).checks if not check.good]
        await queries.close()
        await writer.close()
        database.close()
        return verdict

    assert asyncio.run(main()) == []


def test_rows_are_gathered_until_somebody_reads_or_the_end(tmp_path):
    async def main():
        database = Database.open(tmp_path, synchronous=THROW_AWAY)
        writer = LedgerWriter(database)
        queries = await Queries.open(database)
        told = []

        async def add(number):
            writer.add(usage_row(number), [], told.append)
            for _ in range(5):
                await asyncio.sleep(0)

        def stored():
            with closing(sqlite3.connect(database.path)) as db:
                return db.execute("SELECT count(*) FROM usage_rows").fetchone()[0]

        counts = []
        await add(1)
        await add(2)
        counts.append(stored())
        await queries.usage_totals()
        counts.append(stored())
        await add(3)
        with closing(database.connect()):
            counts.append(stored())
        await add(4)
        good = (await queries.verify(0)).checks
        counts.append(stored())
        await add(5)
        await queries.close()
        await writer.close()
        counts.append(stored())
        database.close()
        assert told == [None] * 5
        assert all(check.good for check in good)
        return counts

    assert asyncio.run(main()) == [0, 2, 3, 4, 5]
