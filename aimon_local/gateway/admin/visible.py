"""What of a secret the Admin API shows. In hashed mode a key is shown once, by the write that sets it.

A value that still wears the mask is refused when it is written back, so that no client replaces a key by its mask.
"""

import re
from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.context import AdminContext
from aimon_local.gateway.keys import masked
from aimon_local.model import violation
from aimon_local.model.catalog import Plan
from aimon_local.model.violation import Violation

_STARS = "*" * 28
_MASKED = re.compile(r".{0,4}\*{28}\Z", re.DOTALL)
_SECRETS = {"keyauth_credentials": "key", "jwt_secrets": "secret"}

Row = Mapping[str, Any]


def shown(context: AdminContext, kind: str, row: Row) -> Row:
    """A stored row as a reader may see it."""
    if not context.hashed:
        return row
    if kind == "keyauth_credentials":
        return {**row, "key": masked(row["key"])}
    if kind == "jwt_secrets" and str(row["algorithm"]).startswith("HS") and row.get("secret"):
        return {**row, "secret": _mask(row["secret"])}
    return row


def written(context: AdminContext, kind: str, plan: Plan, data: Mapping[Any, Any], *, fresh: bool) -> Row | None:
    """The entity of a write as its writer may see it; ``fresh``: it was made or replaced, not changed in parts."""
    entity = plan.entity
    if entity is None or not context.hashed or fresh or data.get(_SECRETS.get(kind, "")):
        return entity
    return shown(context, kind, entity)


def mask_fault(context: AdminContext, kind: str, data: Mapping[Any, Any]) -> Violation | None:
    """Why a secret that is given can't be meant: it is a mask."""
    name = _SECRETS.get(kind) if context.hashed else None
    value = data.get(name) if name is not None else None
    if not isinstance(value, str) or not _MASKED.match(value):
        return None
    return violation.schema_violation({name: "is masked: give the value itself, or leave the field out"})


def document_fault(context: AdminContext, document: Any) -> str | None:
    """Why the secrets of a declarative document can't be taken: masks, or a key to be made that nobody would see."""
    if isinstance(document, list):
        return next(filter(None, (document_fault(context, item) for item in document)), None)
    if not isinstance(document, Mapping):
        return None
    for kind in _SECRETS:
        rows = document.get(kind)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping) and (fault := _row_fault(context, kind, row)):
                return fault
    return document_fault(context, list(document.values()))


def _row_fault(context: AdminContext, kind: str, row: Row) -> str | None:
    if mask_fault(context, kind, row):
        return "the document holds masked secrets: give the secrets themselves, or what GET /config gave"
    if context.hashed and kind == "keyauth_credentials" and row.get("key") is None:
        return "the document holds a key-auth credential without its key: a made one would never be shown, so give it"
    return None


def _mask(secret: str) -> str:
    return secret[:4] + _STARS if len(secret) >= 16 else _STARS
