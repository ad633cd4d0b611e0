"""The audit log in SQLite: lines written in the transaction of what they tell of, chained, sealed, read, walked.

Whoever writes asks ``Trail.statements`` within its own transaction (BEGIN IMMEDIATE), with what ``HEAD`` found there:
so several connections can write lines and the chain stays one. Reading blocks: for a thread.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import blake2b
from typing import Any, NamedTuple

from aimon_local.model.audit import AuditEntry
from aimon_local.storage.chain import CHUNK, Broken, Chain, Walked
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

HEAD = "SELECT id, chain FROM audit ORDER BY id DESC LIMIT 1"
_COLUMNS = ", ".join(AuditEntry._fields)
_MARKS = ", ".join("?" for _ in AuditEntry._fields)
_INSERT = f"INSERT INTO audit (id, {_COLUMNS}, chain) VALUES (?, {_MARKS}, ?)"
_SEAL = """INSERT INTO audit_head (id, number, seal) VALUES (1, ?, ?)
    ON CONFLICT DO UPDATE SET number = excluded.number, seal = excluded.seal"""
_WHAT = b"aimon-local audit chain"
MOST = 1000  # lines of a page

Statement = tuple[str, list[tuple[Any, ...]]]
Line = tuple[int, AuditEntry]


class Trail:
    """Makes the statements that add lines; it remembers nothing, the database's newest line is where it goes on."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._key = blake2b(b"seal of " + _WHAT, key=secret, digest_size=32).digest()

    def statements(self, head: Sequence[Any] | None, lines: Sequence[AuditEntry]) -> list[Statement]:
        """What to execute, in order; ``head``: the row that ``HEAD`` found in this transaction, None: none."""
        if not lines:
            return []
        chain = Chain(self._secret, _WHAT)
        number, chain.head = (0, chain.first(0)) if head is None else (head[0], bytes(head[1]))
        rows = [AuditEntry(*map(_fits, line)) for line in lines]
        links = chain.links(rows, {}, lambda _: ())
        numbered = [(number + at, *row, link) for at, (row, link) in enumerate(zip(rows, links, strict=True), 1)]
        last = number + len(rows)
        return [(_INSERT, numbered), (_SEAL, [(last, self.seal(last, links[-1]))])]

    def append(self, db: sqlite3.Connection, lines: Sequence[AuditEntry]) -> None:
        """Add lines within the transaction that ``db`` is in."""
        for sql, rows in self.statements(db.execute(HEAD).fetchone() if lines else None, lines):
            db.executemany(sql, rows)

    def seal(self, number: int, link: bytes) -> bytes:
        """Of the newest line: who cuts lines off can't make the seal of what is left."""
        return blake2b(self._key + number.to_bytes(8, "big") + link, digest_size=16).digest()


def _fits(value: Any) -> Any:
    """JSON can hold half of a surrogate pair, SQLite's text can't."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


class Asked(NamedTuple):
    """Which lines: at ≥ since, < until (Unix nanoseconds, the gateway's clock); before the line of a number."""

    since: int | None = None
    until: int | None = None
    kind: str | None = None
    actor: str | None = None
    entity: str | None = None  # a kind of entity, an id, or a name
    before: int | None = None
    size: int = 100


class AuditLog:
    """The lines of one database, to read and to add by themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.trail = Trail(database.secret)

    def page(self, asked: Asked) -> list[Line]:
        """Lines by their numbers, the newest first; StoreError where they can't be read."""
        terms: list[tuple[str, Any]] = [
            ("at_ns >= :since", asked.since),
            ("at_ns < :until", asked.until),
            ("kind = :kind", asked.kind),
            ("actor = :actor", asked.actor),
            (":entity IN (entity, entity_id, name)", asked.entity),
            ("id < :before", asked.before),
        ]
        where = " AND ".join(["1", *(term for term, value in terms if value is not None)])
        sql = f"SELECT id, {_COLUMNS} FROM audit WHERE {where} ORDER BY id DESC LIMIT :size"
        values = asked._asdict()
        try:
            with closing(self._database.connect()) as db:
                return [(number, AuditEntry(*line)) for number, *line in db.execute(sql, values)]
        except sqlite3.Error as error:
            raise store_error(error) from error

    def add(self, lines: Sequence[AuditEntry]) -> None:
        """Add lines in a transaction of their own: for what has no other write."""
        try:
            with closing(self._database.connect()) as db:
                db.execute("BEGIN IMMEDIATE")
                try:
                    self.trail.append(db, lines)
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise store_error(error) from error

    def told(self, entity_id: str, action: str) -> bool:
        """Whether there is a line of this action on this entity."""
        try:
            with closing(self._database.connect()) as db:
                sql = "SELECT 1 FROM audit WHERE entity_id = ? AND action = ? LIMIT 1"
                return db.execute(sql, (entity_id, action)).fetchone() is not None
        except sqlite3.Error as error:
            raise store_error(error) from error


def walk_audit(db: sqlite3.Connection, secret: bytes) -> tuple[Walked, bool]:
    """Along the chain to its first break; and whether the seal fits the newest line."""
    chain, last, rows = Chain(secret, _WHAT), 0, 0
    chain.head = chain.first(0)
    sql = f"SELECT id, chain, {_COLUMNS} FROM audit WHERE id > ? ORDER BY id LIMIT {CHUNK}"
    while found := db.execute(sql, (last,)).fetchall():
        for number, stored, *line in found:
            expected = chain.links([tuple(line)], {}, lambda _: ())[0]
            if stored != expected or number != last + 1:
                return Walked(0, rows, chain.head.hex(), Broken(number, "")), True
            chain.head, rows, last = expected, rows + 1, number
    seal = db.execute("SELECT number, seal FROM audit_head").fetchone()
    whole = not rows if seal is None else tuple(seal) == (last, Trail(secret).seal(last, chain.head))
    return Walked(0, rows, chain.head.hex()), whole
