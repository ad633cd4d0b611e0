"""Corrections in the ledger: new rows that refer to calls, never a change of an old one. Read, appended, walked.

Blocking, on connections of its own: for a thread. Appended in small transactions, so that the ledger's writer never
waits long; a run that is cut in the middle is completed by the next one, which finds what is still to be corrected.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from aimon_local.model.audit import AuditEntry
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.repricing import Charged, Correction
from aimon_local.storage.audit import Trail
from aimon_local.storage.chain import CHUNK, Broken, Chain, Walked, party
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error
from aimon_local.storage.span import HOUR_NS
from aimon_local.storage.spend import COUNTED

_AT_ONCE = 500  # rows of a transaction
_COLUMNS = "request_id, at_ns, party, call_ns, model, cost, charge"
_INSERT = f"INSERT INTO ai_corrections ({_COLUMNS}, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FIRST = f"""SELECT COALESCE(MIN(first_seq), (SELECT seq + 1 FROM usage_folded)) FROM usage_hourly
    WHERE hour >= ? / {HOUR_NS}"""
_MORE = "COALESCE((SELECT SUM({0}) FROM ai_corrections AS more WHERE more.request_id = usage_rows.request_id), 0)"
_CALLS = f"""SELECT seq, usage_rows.request_id, at_ns, party, consumer_id, consumer, ai_usage.tier, model,
        ai_usage.cost + {_MORE.format("more.cost")}, ai_usage.charge + {_MORE.format("more.charge")},
        input, cache_read, cache_write, output, reasoning
    FROM usage_rows JOIN ai_usage USING (request_id) JOIN usage_parties ON usage_parties.id = party
    WHERE seq >= ? AND at_ns >= ? AND {COUNTED} ORDER BY seq LIMIT {CHUNK}"""


def chain(secret: bytes) -> Chain:
    """The corrections' own chain."""
    return Chain(secret, b"aimon-local chain of corrections")


class Corrections:
    """The corrections of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.running = asyncio.Lock()  # held by whoever reads in order to append

    def calls(self, since: int) -> Iterator[Charged]:
        """Calls that count, from a time on (Unix nanoseconds), in the order of their ends."""
        try:
            with closing(self._database.connect()) as db:
                begin = db.execute(_FIRST, (since,)).fetchone()[0]
                while found := db.execute(_CALLS, (begin, since)).fetchall():
                    for each in found:
                        facts: tuple[Any, ...] = (*each[1:8], TokenUsage(*each[10:]), *each[8:10])
                        yield Charged(*facts)
                    begin = found[-1][0] + 1
        except sqlite3.Error as error:
            raise store_error(error) from error

    def of(self, request_id: str) -> list[tuple[int, int, int]]:
        """(when, Unix nanoseconds; cost and charge, nano-dollars more or less) of one call, the first made first."""
        sql = "SELECT at_ns, cost, charge FROM ai_corrections WHERE request_id = ? ORDER BY id"
        try:
            with closing(self._database.connect()) as db:
                return db.execute(sql, (request_id,)).fetchall()
        except sqlite3.Error as error:
            raise store_error(error) from error

    def append(
        self, corrections: Iterable[Correction], now: int, told: Callable[[bool], AuditEntry] | None = None
    ) -> None:
        """Store them; StoreError: those of the transactions before are stored.

        ``told`` makes the audit log's lines: of the begin (False) with the first of them, of the end with the last.
        """
        links, rows = chain(self._database.secret), iter(corrections)
        try:
            with closing(self._database.connect()) as db:
                some, line = list(islice(rows, _AT_ONCE)), [] if told is None else [told(False)]
                while some:
                    more = list(islice(rows, _AT_ONCE))
                    self._store(db, links, some, now, line if more or told is None else [*line, told(True)])
                    some, line = more, []
                if line and told is not None:  # there was nothing to correct
                    self._store(db, links, [], now, [*line, told(True)])
        except sqlite3.Error as error:
            raise store_error(error) from error

    def _store(
        self, db: sqlite3.Connection, links: Chain, some: list[Correction], now: int, told: list[AuditEntry]
    ) -> None:
        lines = [
            (call.request_id, now, call.party, call.at_ns, call.model, cost, charge) for call, cost, charge in some
        ]
        db.execute("BEGIN IMMEDIATE")
        try:
            links.head = _head(db, links)
            made = links.links(lines, {}, lambda at: party(db, lines[at][2]))
            db.executemany(_INSERT, [(*line, link) for line, link in zip(lines, made, strict=True)])
            Trail(self._database.secret).append(db, told)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _head(db: sqlite3.Connection, links: Chain) -> bytes:
    found = db.execute("SELECT chain FROM ai_corrections ORDER BY id DESC LIMIT 1").fetchone()
    return links.first(0) if found is None else bytes(found[0])


def walk_corrections(db: sqlite3.Connection, secret: bytes) -> Walked:
    """Along the corrections' chain to its first break."""
    links, last, rows = chain(secret), 0, 0
    links.head = links.first(0)
    sql = f"SELECT id, chain, {_COLUMNS} FROM ai_corrections WHERE id > ? ORDER BY id LIMIT {CHUNK}"
    while found := db.execute(sql, (last,)).fetchall():
        for number, stored, *line in found:
            row = tuple(line)
            made = links.links([row], {}, lambda _, number=row[2]: party(db, number))[0]  # type: ignore[misc]
            if made != stored:
                return Walked(0, rows, links.head.hex(), Broken(number, row[0]))
            links.head, rows = made, rows + 1
        last = found[-1][0]
    return Walked(0, rows, links.head.hex())
