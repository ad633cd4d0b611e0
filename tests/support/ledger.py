"""Builders for the ledger's tests."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from aimon_local.errors import StoreError
from aimon_local.model.usage import CounterChange, UsageRow
from aimon_local.storage.database import Database
from aimon_local.storage.writer import LedgerWriter

HOUR = 3_600_000_000_000
NOON = 472_222 * HOUR  # the start of an hour in 2023


def usage_row(number: int, **changes: Any) -> UsageRow:
    """The row of request ``number``, a plain admitted one, ``number`` microseconds after the hour."""
    row = UsageRow(
        request_id=f"{number:032x}",
        at_ns=NOON + number * 1000,
        consumer_id="c-1",
        consumer="free-user",
        credential_id="k-1",
        tier="free",
        route_id="r-1",
        service_id="s-1",
        method="GET",
        status=200,
        decision="allow",
        deny_reason=None,
        complete=True,
        upstream_status=200,
        gateway_us=100,
        upstream_us=900,
        total_us=1100,
        bytes_in=10,
        bytes_out=615,
    )
    return row._replace(**changes)


def counter(value: int, key: str = "rate:r-1::c-1", unit: str = "minute") -> CounterChange:
    """The counter of a window that is not over while this code lives."""
    return CounterChange(key, unit, 1_699_999_200, value, 4_000_000_000)


def on_ledger(
    directory: Path, steps: Callable[[LedgerWriter, Database], Coroutine[Any, Any, None]], **options: Any
) -> None:
    """Run ``steps`` with an open writer, then close all in order."""

    async def run() -> None:
        database = Database.open(directory)
        try:
            writer = LedgerWriter(database, **options)
            try:
                await steps(writer, database)
            finally:
                await writer.close()
        finally:
            database.close()

    asyncio.run(run())


def add(writer: LedgerWriter, row: UsageRow, *touched: CounterChange) -> "asyncio.Future[StoreError | None]":
    """Add a row; the future tells what ``then`` was told."""
    told: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
    writer.add(row, touched, told.set_result)
    return told


def stored(database: Database) -> list[UsageRow]:
    """All rows in the order of their commits."""
    db = database.connect()
    try:
        found = db.execute(f"SELECT {', '.join(UsageRow._fields)} FROM usage ORDER BY seq").fetchall()
    finally:
        db.close()
    rows = [UsageRow(*row) for row in found]
    return [row._replace(complete=bool(row.complete)) for row in rows]
