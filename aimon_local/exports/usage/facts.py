"""What all formats tell of a row, under one set of names."""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.money import dollars

Row = Mapping[str, Any]

ADMITTED = "allow"
KINDS = ("input", "cache_read", "cache_write", "output", "reasoning")
"""Kinds of tokens, as the ledger has them apart; together they are all that a call used."""


def facts(row: Row) -> dict[str, Any]:
    """A row as one flat record; money in dollars as text, so that no reader rounds it."""
    ai = row["ai"] or {}
    kinds = {f"{kind}_tokens": ai.get(kind, 0) for kind in KINDS}
    return {
        **{name: row[name] for name in ("consumer", "consumer_id", "tier", "route", "service", "method", "status")},
        **{name: row[name] for name in ("decision", "deny_reason", "complete", "total_us", "bytes_in", "bytes_out")},
        "agent": ai.get("agent"),
        "owner": ai.get("owner"),
        "run": ai.get("run"),
        "dialect": ai.get("dialect") or None,
        "model": ai.get("model") or None,
        "served": ai.get("served"),
        "stream": ai.get("stream", False),
        **kinds,
        "tokens": sum(kinds.values()),
        "cost": dollars(cost(row)),
        "charge": dollars(charge(row)),
        "source": ai.get("source", "none"),
    }


def cost(row: Row) -> int:
    """What a call cost us, corrections included; nano-dollars."""
    return int((row["ai"] or {}).get("cost", 0) + row.get("corrected_cost", 0))


def charge(row: Row) -> int:
    """What it brings, corrections included; nano-dollars."""
    return int((row["ai"] or {}).get("charge", 0) + row.get("corrected_charge", 0))
