"""kill -9 in the middle of writing: what was acknowledged is there once, counters and chain agree, and it goes on."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from aimon_local.storage.batch import ROW_COLUMNS
from aimon_local.storage.chain import walk
from aimon_local.storage.database import Database
from aimon_local.storage.queries import Queries
from tests.support.ledger import stored

CHILD = Path(__file__).with_name("crash_child.py")
ROOT = CHILD.parent.parent.parent
ROUNDS = 10


def killed_run(directory, start, lines):
    """Let the child write until it has acknowledged ``lines`` requests, kill it, and return all that it acknowledged."""
    command = [sys.executable, str(CHILD), str(directory), str(start)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, cwd=ROOT) as child:
        told = [child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read().splitlines(keepends=True)
        child.wait()
    return [int(line) for line in told if line.endswith(b"\n")]


async def totals_and_counters(database):
    queries = await Queries.open(database)
    try:
        return await queries.usage_totals(), {row.key: row.value for row in await queries.counters(0)}
    finally:
        await queries.close()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_ten_kills_lose_nothing_and_double_nothing(tmp_path):
    acknowledged = []
    for turn in range(ROUNDS):
        told = killed_run(tmp_path, 1_000_000 * turn, 20 + 97 * turn)
        assert len(told) >= 20 + 97 * turn
        acknowledged += told
        database = Database.open(tmp_path)
        assert database.unclean
        rows = stored(database)
        numbers = [int(row.request_id, 16) for row in rows]
        assert len(numbers) == len(set(numbers))
        assert set(acknowledged) <= set(numbers)
        totals, counters = asyncio.run(totals_and_counters(database))
        assert totals.requests == len(rows)
        assert counters == Counter(row.consumer_id for row in rows)
        with closing(database.connect()) as db:
            assert walk(db, database.secret, ROW_COLUMNS)[1::2] == (len(rows), None)
        database.close()
