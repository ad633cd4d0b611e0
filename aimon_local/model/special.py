"""What Kong does for single kinds beside their schemas, as pure steps around ``process``.

``prepare`` reads the input before the schema does, ``finish`` makes the stored row of the validated entity, ``show``
the visible entity of a stored row, ``usable`` undoes ``finish`` for a change. Times are nanoseconds, an expiry is
stored in ``ttl`` as Unix seconds.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from aimon_local.model import pem, violation
from aimon_local.model.address import check_target, parse
from aimon_local.model.fill import SECOND_NS
from aimon_local.model.violation import ENTITY, Violation

MAX_TTL_S = 100_000_000
NESTED_KEYS = {"acls": "group", "targets": "target"}  # names in a path that are unique under the parent only
TARGET_PORT = 8000

Row = dict[str, Any]


def prepare(kind: str, data: Mapping[str, Any]) -> Row | Violation:
    """The input as the schema should see it, or the refusal that comes before it."""
    out = {name: value for name, value in data.items() if name != "id" or value is not None}
    if kind == "targets" and isinstance(out.get("target"), str):
        return _with_target(out)
    if kind == "keyauth_credentials" and out.get("ttl") is not None:
        return _ttl_fault(out["ttl"]) or out
    return out


def _with_target(data: Row) -> Row | Violation:
    found = parse(data["target"])
    if isinstance(found, str):
        return violation.schema_violation({"target": check_target(data["target"])})
    return {**data, "target": found.with_port(TARGET_PORT)}


def _ttl_fault(ttl: Any) -> Violation | None:
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or ttl % 1 != 0:
        return violation.invalid_options({"ttl": "must be an integer"})
    if not 0 <= ttl <= MAX_TTL_S:
        return violation.invalid_options({"ttl": f"must be between 0 and {MAX_TTL_S}"})
    return None


def finish(
    kind: str, entity: Row, data: Mapping[str, Any], current: Mapping[str, Any] | None, now: int, *, transform: bool
) -> Row | Violation:
    """The row to store. ``data`` is what was given, ``current`` the row that changes (None: a new or replaced one)."""
    if kind == "basicauth_credentials" and transform:
        return _hashed(entity, data, current)
    if kind == "keyauth_credentials":
        return {**entity, "ttl": _expiry(data, current, now)}
    if kind == "ca_certificates":
        der = pem.decode(entity["cert"], pem.CERTIFICATE) or b""
        return {**entity, "cert_digest": hashlib.sha256(der).hexdigest()}
    if kind == "plugins" and entity.get("consumer_group") is None:
        entity.pop("consumer_group", None)
    return entity


def _hashed(entity: Row, data: Mapping[str, Any], current: Mapping[str, Any] | None) -> Row | Violation:
    """Kong stores the SHA-1 of password and consumer id, in hex."""
    if current is not None and data.get("password") is None:
        if entity["consumer"] != current["consumer"]:
            text = "all or none of these fields must be set: 'password', 'consumer.id'"
            return violation.schema_violation({ENTITY: [text]})
        return entity
    return {**entity, "password": password_hash(entity["password"], entity["consumer"]["id"])}


def password_hash(password: str, consumer_id: str) -> str:
    """Hex SHA-1 of the password followed by the consumer's id (Kong's basic-auth)."""
    salted = (password + consumer_id).encode("utf-8", "surrogatepass")
    return hashlib.sha1(salted, usedforsecurity=False).hexdigest()


def _expiry(data: Mapping[str, Any], current: Mapping[str, Any] | None, now: int) -> int | None:
    if data.get("ttl"):
        return now // SECOND_NS + int(data["ttl"])
    if current is not None and "ttl" not in data:
        return current.get("ttl")
    return None


def usable(kind: str, row: Mapping[str, Any]) -> Row:
    """A stored row as the schema accepts it."""
    return {**row, "ttl": None} if kind == "keyauth_credentials" else dict(row)


def is_over(row: Mapping[str, Any], now: int) -> bool:
    """Whether a credential's time is up."""
    expiry = row.get("ttl")
    return isinstance(expiry, int) and expiry * SECOND_NS <= now


def show(kind: str, row: Mapping[str, Any], now: int) -> Row:
    """A stored row as the Admin API shows it: an expiry as the seconds that are left."""
    if kind == "keyauth_credentials" and row.get("ttl") is not None:
        return {**row, "ttl": row["ttl"] - now // SECOND_NS}
    return dict(row)


def common_protocols(plugin: Mapping[str, Any], route: Mapping[str, Any] | None, others: list[Row]) -> Violation | None:
    """A plugin must share a protocol with its route, else with one of its service's routes (``others``), if any."""
    wanted = set(plugin["protocols"])
    if route is not None:
        if wanted & set(route["protocols"]):
            return None
        return violation.schema_violation({"protocols": "must match the associated route's protocols"})
    if not others or any(wanted & set(other["protocols"]) for other in others):
        return None
    text = "must match the protocols of at least one route pointing to this Plugin's service"
    return violation.schema_violation({"protocols": text})
