"""Entities in SQLite, through aiosqlite: all of them at the start, then one transaction per write of the Admin API.

The catalog in memory is the judge; the constraints here are the second lock. If SQLite refuses what the catalog had
allowed, the two disagree, and that is a fault, not an answer to a client. To add a kind: a table in a new migration
and a line in ``KINDS``.
"""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

import aiosqlite

from aimon_local.errors import StoreError
from aimon_local.model.audit import AuditEntry
from aimon_local.storage.audit import HEAD, Statement, Trail
from aimon_local.storage.database import Database
from aimon_local.storage.faults import store_error

KINDS: dict[str, tuple[str, ...]] = {
    "certificates": (),
    "ca_certificates": ("cert_digest",),
    "snis": ("name", "certificate_id"),
    "services": ("name", "client_certificate_id"),
    "routes": ("name", "service_id"),
    "consumers": ("username", "custom_id"),
    "consumer_groups": ("name",),
    "consumer_group_consumers": ("consumer_group_id", "consumer_id"),
    "plugins": ("name", "instance_name", "route_id", "service_id", "consumer_id", "consumer_group_id"),
    "upstreams": ("name", "client_certificate_id"),
    "targets": ("upstream_id", "target"),
    "keyauth_credentials": ("consumer_id", "key"),
    "basicauth_credentials": ("consumer_id", "username"),
    "jwt_secrets": ("consumer_id", "key"),
    "acls": ("consumer_id", "group"),
    "tiers": ("name", "consumer_id", "route_id"),
    "price_plans": ("name",),
    "model_prices": ("model", "since"),
    "agents": ("name", "consumer_id", "owner_id"),
}
"""The key columns of each kind beside ``id`` and ``body``; ``x_id`` holds the id of the reference ``x``."""

Entity = Mapping[str, Any]


class Change(Protocol):
    """One step of a write: ``op`` is "put" (insert or replace whole) or "delete"; ``entity`` is the stored document."""

    @property
    def op(self) -> str:
        """ "put" or "delete"."""

    @property
    def kind(self) -> str:
        """A name in ``KINDS``."""

    @property
    def entity(self) -> Entity:
        """The document; a delete needs its ``id`` only."""


def _put_sql(kind: str, columns: tuple[str, ...]) -> str:
    names = ["id", *columns, "body"]
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names[1:])
    return f"INSERT INTO {kind} ({quoted}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changed}"


_PUT = {kind: _put_sql(kind, columns) for kind, columns in KINDS.items()}
_DELETE = {kind: f"DELETE FROM {kind} WHERE id = ?" for kind in KINDS}


def _storable(value: Any) -> Any:
    """JSON can hold half of a surrogate pair, SQLite's text can't: key columns get it escaped, the body is ASCII."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _key(entity: Entity, column: str) -> Any:
    if column.endswith("_id") and column != "custom_id":
        reference = entity.get(column[:-3])
        return None if reference is None else reference["id"]
    return _storable(entity.get(column))


def _parameters(change: Change) -> tuple[Any, ...]:
    entity = change.entity
    if change.op == "delete":
        return (entity["id"],)
    body = json.dumps(entity, separators=(",", ":"))
    return (entity["id"], *(_key(entity, column) for column in KINDS[change.kind]), body)


class EntityStore:
    """The stored entities and settings of one gateway. One write at a time; a write is whole or absent."""

    def __init__(self, db: aiosqlite.Connection, trail: Trail) -> None:
        self._db, self._trail = db, trail
        self._turn = asyncio.Lock()
        self._writes: set[asyncio.Future[None]] = set()

    @classmethod
    async def open(cls, database: Database) -> "EntityStore":
        """With a connection of its own."""
        try:
            return cls(await database.connect_async(), Trail(database.secret))
        except sqlite3.Error as error:
            raise store_error(error) from error

    async def load(self) -> dict[str, list[dict[str, Any]]]:
        """All entities by kind, each kind in the order in which its entities were first stored."""
        out = {}
        try:
            for kind in KINDS:
                rows = await self._db.execute_fetchall(f"SELECT body FROM {kind} ORDER BY rowid")
                out[kind] = [json.loads(body) for (body,) in rows]
        except sqlite3.Error as error:
            raise store_error(error) from error
        return out

    async def apply(self, changes: Sequence[Change], lines: Sequence[AuditEntry] = ()) -> None:
        """Make all changes, in order, in one transaction; on return they are committed. StoreError: none was made.

        ``lines``: what the audit log says of them, in the same transaction.

        The write goes on to its end even if the caller is cancelled (its client left), so memory and disk can't part.
        """
        statements = [
            (_PUT[kind] if op == "put" else _DELETE[kind], [_parameters(change) for change in run])
            for (op, kind), run in groupby(changes, key=lambda change: (change.op, change.kind))
        ]
        await self._whole(statements, lines)

    async def setting(self, name: str) -> str | None:
        """What ``set_setting`` stored under the name."""
        try:
            rows = list(await self._db.execute_fetchall("SELECT value FROM meta WHERE name = ?", (name,)))
        except sqlite3.Error as error:
            raise store_error(error) from error
        return str(rows[0][0]) if rows else None

    async def set_setting(self, name: str, value: str) -> None:
        """Remember a small text, such as "the demo was seeded"."""
        sql = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        await self._whole([(sql, [(name, value)])])

    async def close(self) -> None:
        """Let writes under way end, then close the connection."""
        if self._writes:
            await asyncio.wait(set(self._writes))
        await self._db.close()

    async def execute(self, statements: list[Statement], lines: Sequence[AuditEntry]) -> None:
        """A write that is no entity's, with the audit log's lines of it, in one transaction; as ``apply``."""
        await self._whole(statements, lines)

    async def _whole(self, statements: list[Statement], lines: Sequence[AuditEntry] = ()) -> None:
        if not statements and not lines:
            return
        write = asyncio.ensure_future(self._transaction(statements, lines))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)
        await asyncio.shield(write)

    async def _transaction(self, statements: list[Statement], lines: Sequence[AuditEntry]) -> None:
        db = self._db
        async with self._turn:
            try:
                await db.execute("BEGIN IMMEDIATE")
                head = list(await db.execute_fetchall(HEAD)) if lines else []
                for sql, rows in [*statements, *self._trail.statements(tuple(head[0]) if head else None, lines)]:
                    await db.executemany(sql, rows)
                await db.execute("COMMIT")
            except (sqlite3.Error, ValueError, OverflowError) as error:
                await self._roll_back()
                raise store_error(error) from error

    async def _roll_back(self) -> None:
        """Leave the transaction if SQLite has not left it already (it does after a full disk or an I/O error)."""
        if self._db.in_transaction:
            try:
                await self._db.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise StoreError(f"a failed write could not be undone ({error})", "restart the gateway") from error
