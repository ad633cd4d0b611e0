"""A long ledger: ``python -m tests.bench.ledger [ROWS]`` fills a store in a temporary folder and times what reads it.

Rows are a month of AI calls of 100 consumers (1,000,000 by default), written as the gateway's writer does: in batches,
chained, folded into hours. Printed: seconds to fill, then milliseconds of each question, the median of five, with the
first apart; ``verify`` and ``reprice`` read everything and are run once.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from aimon_local.model.ai import AiRecord
from aimon_local.policy.pricing import ModelPrice, PriceBook, PricePlan, Rates
from aimon_local.policy.repricing import Repricing
from aimon_local.policy.spans import UTC
from aimon_local.storage.batch import Batch, Parties, commit, fold, last_seq
from aimon_local.storage.chain import Chain
from aimon_local.storage.corrections import Corrections
from aimon_local.storage.database import Database
from aimon_local.storage.queries import Queries
from tests.support.ledger import HOUR, NOON, usage_row

CONSUMERS, MODELS, BATCH = 100, ("m-1", "m-2", "m-3"), 5_000
MONTH = 30 * 24 * HOUR


def fill(database: Database, rows: int) -> float:
    """Write the rows; the seconds that it took."""
    begun = time.perf_counter()
    db = database.connect()
    db.execute("PRAGMA synchronous = OFF")  # the disk is not what is measured here
    parties, chain = Parties(), Chain(database.secret)
    chain.find(db)
    for first in range(0, rows, BATCH):
        batch = Batch()
        for number in range(first, min(rows, first + BATCH)):
            who = f"c-{number % CONSUMERS}"
            at = NOON + number * MONTH // rows
            row = usage_row(number, at_ns=at, consumer_id=who, consumer=who, tier=f"t-{number % 4}")
            usage = (400, 100, 0, 33, 0)
            record = AiRecord("openai.chat", row.tier, MODELS[number % 3], None, False, 9, 9, 9, 9, *usage, 901, 901)
            batch.rows.append(row)
            batch.ai.append((row.request_id, record._replace(source="reported", complete=True)))
        commit(db, batch, 0, parties, chain)
        fold(db, last_seq(db))
    db.close()
    return time.perf_counter() - begun


def repriced(database: Database) -> int:
    """A dry run of ``reprice`` over everything, with dearer prices; how many calls would be corrected."""
    rates = Rates(2_000_000_000, 8_000_000_000, 1_000_000_000, 2_000_000_000, 8_000_000_000)
    plan = PricePlan("free")
    run = Repricing(PriceBook([ModelPrice("m-*", "x", 0, rates)]), lambda _, __: (plan, UTC), 0)
    return sum(1 for _ in run.corrections(Corrections(database).calls(0)))


async def questions(queries: Queries) -> None:
    """Each question five times."""
    asked = {
        "usage of one consumer, a month": lambda: queries.usage_totals("c-7", NOON, NOON + MONTH),
        "the same, a span off the hour": lambda: queries.usage_totals("c-7", NOON + 7, NOON + MONTH - 7),
        "tokens and money of one consumer, a month": lambda: queries.spend(None, "c-7", NOON, NOON + MONTH),
        "usage of all by tier": lambda: queries.usage_totals_by("tier"),
        "usage of all by consumer": lambda: queries.usage_totals_by("consumer"),
        "tokens and money of all by model": lambda: queries.spend("model"),
        "the last 100 rows of one consumer": lambda: queries.usage_rows("c-7"),
    }
    for name, ask in asked.items():
        took = []
        for _ in range(5):
            begun = time.perf_counter()
            await ask()
            took.append((time.perf_counter() - begun) * 1000)
        print(f"{name:<44} {median(took):9.1f} ms   first {took[0]:9.1f} ms", flush=True)


async def measure(database: Database) -> None:
    """What reads the store."""
    queries = await Queries.open(database)
    try:
        await questions(queries)
        begun = time.perf_counter()
        verdict = await queries.verify(NOON + MONTH)
        wrong = [check.name for check in verdict.checks if not check.good]
        print(f"{'verify':<44} {time.perf_counter() - begun:9.1f} s    wrong: {wrong}", flush=True)
        begun = time.perf_counter()
        found = await asyncio.to_thread(repriced, database)
        print(f"{'reprice, a dry run':<44} {time.perf_counter() - begun:9.1f} s    {found} calls", flush=True)
    finally:
        await queries.close()


def main(rows: int = 1_000_000) -> None:
    """Fill, then ask."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        database = Database.open(Path(folder) / "data")
        took = fill(database, rows)
        print(f"{rows} rows in {took:.1f} s ({rows / took:.0f} a second)", flush=True)
        try:
            asyncio.run(measure(database))
        finally:
            database.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
