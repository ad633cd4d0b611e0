"""Runs of an agent as the ledger has them: what each used, how deep it went, why calls of it were denied. Blocking."""

import sqlite3
from contextlib import closing
from typing import Any

from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

MOST = 100  # the newest
_SPENT = """ai_usage.input + ai_usage.cache_read + ai_usage.cache_write + ai_usage.output + ai_usage.reasoning"""
_RUNS = f"""SELECT run, MIN(at_ns), MAX(at_ns), COUNT(*), SUM(decision = 'deny'), SUM({_SPENT}), SUM(ai_usage.cost),
    SUM(ai_usage.charge), MAX(depth), GROUP_CONCAT(DISTINCT deny_reason)
    FROM ai_usage JOIN usage_rows USING (request_id) JOIN usage_parties ON usage_parties.id = party
    WHERE agent = ? AND run IS NOT NULL GROUP BY run ORDER BY MAX(at_ns) DESC LIMIT {MOST}"""
_NAMES = ("run", "first_ns", "last_ns", "calls", "denied", "tokens", "cost", "charge", "depth", "deny_reasons")


def runs(database: Database, agent: str) -> list[dict[str, Any]]:
    """Of an agent by name; the last run first, money in nano-dollars."""
    try:
        with closing(database.connect()) as db:
            found = [dict(zip(_NAMES, row, strict=True)) for row in db.execute(_RUNS, (agent,))]
    except sqlite3.Error as error:
        raise store_error(error) from error
    for row in found:
        row["deny_reasons"] = [each for each in (row["deny_reasons"] or "").split(",") if each]
    return found
