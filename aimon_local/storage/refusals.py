"""A consumer's refusals in the ledger, as ``policy.manners`` folds them. Blocking: for a thread."""

import sqlite3
from contextlib import closing

from aimon_local.policy.manners import WAITS, Refusal
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error
from aimon_local.storage.span import HOUR_NS, bounds

MOST = 10_000  # the newest
_PARTIES = f"""SELECT id FROM usage_parties WHERE decision = 'deny' AND (consumer_id = :of OR consumer = :of)
    AND deny_reason IN ({", ".join(f"'{reason}'" for reason in sorted(WAITS))})"""
_FIRST = f"""SELECT MIN(first_seq) FROM usage_hourly WHERE hour >= :hour AND party IN ({_PARTIES})
    UNION ALL SELECT seq + 1 FROM usage_folded"""
_ROWS = f"""SELECT at_ns, at_ns + total_us * 1000, deny_reason, COALESCE(ai_usage.wait, 0)
    FROM usage_rows JOIN usage_parties ON usage_parties.id = party
    LEFT JOIN ai_usage ON ai_usage.request_id = usage_rows.request_id
    WHERE seq >= :first AND at_ns >= :low AND at_ns < :high AND party IN ({_PARTIES}) ORDER BY seq DESC LIMIT {MOST}"""


def refusals(database: Database, consumer: str, since: int | None, until: int | None) -> list[Refusal]:
    """Of an id or a stored name, in a span; at most the newest ``MOST``."""
    low, high = bounds(since, until)
    asked = {"of": consumer, "low": low, "high": high, "hour": low // HOUR_NS}
    try:
        with closing(database.connect()) as db:
            found = [first for (first,) in db.execute(_FIRST, asked) if first is not None]
            return [Refusal(*row) for row in db.execute(_ROWS, asked | {"first": min(found, default=0)})]
    except sqlite3.Error as error:
        raise store_error(error) from error
