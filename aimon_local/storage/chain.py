"""The ledger's hash chain: each row's hash covers the one before it, the row, who it was, and what an AI call used.

Keyed with the install's secret: who changes the database without it can't make the hashes fit. Made in the writer's
thread, stored in the row's own transaction, so a kill leaves a chain that is whole. Rows from before the chain have no
hash; where it begins is part of its first one. What a chain can't show is that its newest rows were cut off: the hourly
sums show that, and the newest hash, if it is noted elsewhere.

It costs the writer's thread 1.2 µs per row, and 1 µs more for what an AI call used; hashing a batch as one would
save half of that, but could not name the row. Content is packed by marshal, version 2, whose form of integers, texts
and None has stayed since Python 2.5; a golden test holds it. A column that a later migration adds behind the others is
covered where it holds something, so older hashes go on fitting; columns never change their order.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from marshal import dumps
from typing import Any, NamedTuple

from aimon_local.model.ai import AiRecord

SIZE = 16  # bytes of a hash
CHUNK = 2000  # rows that are read at once

_FORM = 2
_ROW_FIRST, _AI_FIRST = 12, 24  # columns that there were when the chain began
_MOST = 20_000  # parties that are remembered at once
_AI = ", ".join(f"ai_usage.{name}" for name in AiRecord._fields)

Values = tuple[Any, ...]
Who = Callable[[int], Sequence[str | None]]  # the party of the row at a place


class Broken(NamedTuple):
    """The first row that does not fit."""

    seq: int
    request_id: str


class Walked(NamedTuple):
    """What a walk along the chain found."""

    start: int  # rows up to this one are older than the chain
    rows: int  # rows that fit
    head: str  # the last of their hashes, in hex
    broken: Broken | None = None


class Chain:
    """Makes hashes; ``head`` is the newest one that is stored. ``find`` it before the first ``links``."""

    __slots__ = ("_key", "_parties", "head")

    def __init__(self, secret: bytes, what: bytes = b"aimon-local ledger chain") -> None:
        self._key = blake2b(what, key=secret, digest_size=32).digest()
        self._parties: dict[int, bytes] = {}
        self.head = b""

    def find(self, db: sqlite3.Connection) -> None:
        """Go on from the newest stored row."""
        start = db.execute("SELECT seq FROM chain_start").fetchone()[0]
        found = db.execute("SELECT seq, chain FROM usage_rows ORDER BY seq DESC LIMIT 1").fetchone()
        self.head = self.first(start) if found is None or found[0] <= start else bytes(found[1] or b"")

    def first(self, start: int) -> bytes:
        """What the first row behind ``start`` is linked to."""
        return self._hash(b"begins behind", (start,))

    def links(self, rows: Sequence[Values], ai: Mapping[str, Values], who: Who) -> list[bytes]:
        """The hashes of rows behind ``head``, as usage_rows' columns have them; ``ai``: the AI columns by request id.

        ``who`` tells the party of a row, in the order of usage_parties, absent names as None or "".
        """
        key, parties, before, out = self._key, self._parties, self.head, []
        for at, row in enumerate(rows):
            party = parties.get(row[2]) or self._meet(row[2], who(at))
            content = key + before + party + _packed(row, _ROW_FIRST)
            if row[0] in ai:
                content += _packed(ai[row[0]], _AI_FIRST)
            before = blake2b(content).digest()[:SIZE]
            out.append(before)
        return out

    def _meet(self, number: int, values: Sequence[str | None]) -> bytes:
        if len(self._parties) >= _MOST:
            self._parties.clear()
        made = self._parties[number] = self._hash(b"party", tuple(value or "" for value in values))
        return made

    def _hash(self, what: bytes, values: Values) -> bytes:
        return blake2b(self._key + what + _packed(values)).digest()[:SIZE]


def _packed(values: Values, first: int | None = None) -> bytes:
    """The first so many values, and those behind them up to the last that holds something."""
    if first is None or len(values) <= first:
        return _dumped(values)
    values, more = values[:first], values[first:]
    if not any(more):  # as of most rows
        return _dumped(values)
    while not more[-1]:
        more = more[:-1]
    return _dumped(values) + _dumped(more)


def _dumped(values: Values) -> bytes:
    try:
        return dumps(values, _FORM)
    except ValueError:  # a subclass, such as an enum's member: as SQLite stores it
        return dumps(tuple(_bare(value) for value in values), _FORM)


def _bare(value: Any) -> Any:
    return next((kind(value) for kind in (int, str) if isinstance(value, kind)), value)


def walk(db: sqlite3.Connection, secret: bytes, columns: Sequence[str], last: int = 1 << 62) -> Walked:
    """Along the chain up to ``last`` or its first break, in chunks; ``columns``: the row's, as ``links`` gets them."""
    chain = Chain(secret)
    start: int = db.execute("SELECT seq FROM chain_start").fetchone()[0]
    chain.head, rows = chain.first(start), 0
    for chunk in _chunks(db, start, last, columns):
        for seq, stored, row, ai in chunk:
            who = partial(_who, db, row[2])
            expected = chain.links([row], {} if ai is None else {row[0]: ai}, who)[0]
            if stored != expected:
                return Walked(start, rows, chain.head.hex(), Broken(seq, row[0]))
            chain.head, rows = expected, rows + 1
    return Walked(start, rows, chain.head.hex())


def _chunks(
    db: sqlite3.Connection, start: int, last: int, columns: Sequence[str]
) -> Iterator[list[tuple[int, Any, Values, Values | None]]]:
    """(seq, hash, row, AI columns or None) in order."""
    wide = 2 + len(columns)
    sql = f"""SELECT seq, chain, {", ".join(f"usage_rows.{name}" for name in columns)}, ai_usage.request_id, {_AI}
        FROM usage_rows LEFT JOIN ai_usage ON ai_usage.request_id = usage_rows.request_id
        WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT {CHUNK}"""
    while found := db.execute(sql, (start, last)).fetchall():
        yield [(each[0], each[1], each[2:wide], each[wide + 1 :] if each[wide] is not None else None) for each in found]
        start = found[-1][0]


def _who(db: sqlite3.Connection, number: int, _: int) -> Values:
    return party(db, number)


def party(db: sqlite3.Connection, number: int) -> Values:
    """Who a party is; () where there is none of that number."""
    names = "consumer_id, consumer, credential_id, tier, route_id, service_id, decision, deny_reason"
    return tuple(db.execute(f"SELECT {names} FROM usage_parties WHERE id = ?", (number,)).fetchone() or ())
