"""Writes rows and counters until it is killed; prints a request's number once its commit was told."""

import asyncio
import sys
import time
from pathlib import Path

from aimon_local.model.usage import CounterChange
from aimon_local.storage.database import Database
from aimon_local.storage.queries import Queries
from aimon_local.storage.writer import LedgerWriter
from tests.support.ledger import usage_row

CLIENTS = 8


async def main(directory: str, start: int) -> None:
    database = Database.open(Path(directory))
    queries = await Queries.open(database)
    counts = {row.key: row.value for row in await queries.counters(0)}
    await queries.close()
    writer = LedgerWriter(database)
    number = start

    def send(client: int) -> None:
        nonlocal number
        number += 1
        key, mine = f"client-{client}", number
        counts[key] = counts.get(key, 0) + 1
        change = CounterChange(key, "hour", 0, counts[key], 4_000_000_000)

        def told(error: Exception | None) -> None:
            assert error is None
            sys.stdout.write(f"{mine}\n")
            sys.stdout.flush()
            send(client)

        writer.add(usage_row(mine, consumer_id=key, at_ns=time.time_ns()), (change,), told)

    for client in range(CLIENTS):
        send(client)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
