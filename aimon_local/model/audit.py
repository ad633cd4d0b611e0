"""What the audit log holds: who did what to what, when, and how it was before and after. Nouns and pure functions.

Secrets never get in: what ``masked`` does not know by name it can't hide, so a new secret field gets its name into
``_SECRET``. A change of a secret is seen by its mask standing on both sides. To audit another kind of event: a word in
``KINDS``, and an entry made where it happens.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

KINDS = ("config", "key", "clock", "reprice", "approval", "guard")
"""config: entities of all kinds; key: credentials of consumers."""

MASK = "***"
_KEYS = frozenset(("keyauth_credentials", "basicauth_credentials", "jwt_secrets"))
_SECRET = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|api_?key|authorization|credential|private_key)$", re.IGNORECASE
)
_ALSO = {"keyauth_credentials": ("key",), "certificates": ("key", "key_alt")}  # secret in these kinds alone
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_LABELS = ("name", "username", "custom_id", "model", "target", "group")
_MOST = 100_000  # characters of one side

Row = Mapping[str, Any]
Find = Callable[[str, str], Row | None]  # (kind, id): the row as it is now


class Change(Protocol):
    """A step of a write (``model.rows.Change``)."""

    @property
    def op(self) -> str:
        """ "put" or "delete"."""

    @property
    def kind(self) -> str:
        """The kind of entity."""

    @property
    def entity(self) -> Row:
        """The row as it will be stored; of a delete, the row that goes."""


class Actor(NamedTuple):
    """Who acts: "admin" by the Admin API, "gateway" by itself; the address of the client, "" where there is none."""

    name: str = "gateway"
    address: str = ""


class AuditEntry(NamedTuple):
    """One line, in the order of the table's columns. ``before`` and ``after``: JSON, "" where there is nothing."""

    at_ns: int  # the gateway's clock
    real_ns: int  # the machine's
    actor: str
    address: str
    kind: str  # a word of KINDS
    action: str  # create, change, delete, rotate, revoke, …
    entity: str  # the kind of entity, or what else it is about
    entity_id: str
    name: str  # by which people know it
    before: str
    after: str

    def facts(self) -> dict[str, Any]:
        """As JSON shows it."""
        sides = {side: json.loads(text) if text else None for side, text in (("before", self[9]), ("after", self[10]))}
        return {**self._asdict(), **sides}


class Stamp(NamedTuple):
    """Who and when, the same for all entries of a write."""

    actor: Actor
    at_ns: int
    real_ns: int

    def entry(
        self, kind: str, action: str, entity: str, entity_id: str = "", name: str = "", *sides: Row | None
    ) -> AuditEntry:
        """A line of something that is no entity's write; ``sides``: before, after; they hold no secrets."""
        before, after = (*sides, None, None)[:2]
        return AuditEntry(
            self.at_ns, self.real_ns, *self.actor, kind, action, entity, entity_id, name, _text(before), _text(after)
        )


def entries(changes: Sequence[Change], find: Find, stamp: Stamp) -> list[AuditEntry]:
    """A line per changed entity: all fields of a new or a deleted one, else the fields that differ."""
    return [made for change in changes if (made := _entry(change, find, stamp)) is not None]


def _entry(change: Change, find: Find, stamp: Stamp) -> AuditEntry | None:
    kind, row = change.kind, change.entity
    old = find(kind, row["id"])
    before: Row | None = old
    after: Row | None = row if change.op == "put" else None
    if old is not None and after is not None:
        names = [name for name in {**old, **row} if old.get(name) != row.get(name) and name != "updated_at"]
        if not names:
            return None
        before, after = ({name: side[name] for name in names if name in side} for side in (old, row))
    elif after is None:
        before = old if old is not None else row
    word, action = ("key", _key_action(change.op, old, row)) if kind in _KEYS else ("config", _action(change.op, old))
    sides = (None if side is None else masked(kind, side) for side in (before, after))
    return stamp.entry(word, action, kind, str(row["id"]), _label(row, find), *sides)


def _action(op: str, old: Row | None) -> str:
    if op == "delete":
        return "delete"
    return "create" if old is None else "change"


def _key_action(op: str, old: Row | None, row: Row) -> str:
    if op == "delete":
        return "revoke"
    if old is None:
        return "create"
    if any(old.get(name) != row.get(name) for name in ("key", "password", "secret")):
        return "rotate"
    return "expires" if old.get("expires") != row.get("expires") or old.get("ttl") != row.get("ttl") else "change"


def _label(row: Row, find: Find) -> str:
    """Its name; of what belongs to a consumer, the consumer's."""
    own = next((str(row[name]) for name in _LABELS if row.get(name)), "")
    reference = row.get("consumer")
    if not isinstance(reference, Mapping):
        return own
    owner = find("consumers", str(reference.get("id"))) or {}
    whose = next((str(owner[name]) for name in _LABELS if owner.get(name)), "")
    return own if own and own != whose else whose


def masked(kind: str, row: Row) -> dict[str, Any]:
    """A row without its secrets: fields by their names, at any depth, and logins within addresses."""
    also = _ALSO.get(kind, ())
    return {name: MASK if name in also and value else _masked(name, value) for name, value in row.items()}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        if name.lower() == "headers":  # of a log's receiver: mostly logins
            return dict.fromkeys(value, MASK)
        return {key: _masked(str(key), item) for key, item in value.items()}
    if value and _SECRET.search(name) and isinstance(value, str | list):
        return MASK
    if isinstance(value, list):
        return [_masked(name, item) for item in value]
    return _USERINFO.sub(f"{MASK}@", value) if isinstance(value, str) else value


def _text(side: Row | None) -> str:
    if side is None:
        return ""
    text = json.dumps(side, separators=(",", ":"), default=str)
    if len(text) <= _MOST:
        return text
    return json.dumps({"too_large": len(text)})
