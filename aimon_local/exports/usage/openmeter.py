"""CloudEvents shaped for OpenMeter: what its meters count stands in ``data``, apart by what they group by.

An admitted request is one ``request`` event; an AI call is also one ``tokens`` event for each kind of token that it
used, and one ``spend`` event. Refused requests are not usage.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.exports.usage.cloudevents import envelope
from aimon_local.exports.usage.facts import ADMITTED, KINDS, facts


def events(row: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """The events of a row; their ids are the request's with what they count."""
    if row["decision"] != ADMITTED:
        return []
    id_, known = row["request_id"], facts(row)
    shared = {name: known[name] for name in ("tier", "route", "service", "agent", "model") if known[name]}
    plain = {**shared, "method": row["method"], "status": str(row["status"]), "duration_seconds": row["total_us"] / 1e6}
    out = [envelope(row, source, id_, "request", plain)]
    for kind in KINDS if row["ai"] else ():
        count = known[f"{kind}_tokens"]
        if count:
            data = {**shared, "type": kind, "tokens": count, "source": known["source"]}
            out.append(envelope(row, source, f"{id_}-{kind}", "tokens", data))
    if known["tokens"]:
        money = {**shared, "cost_usd": known["cost"], "charge_usd": known["charge"]}
        out.append(envelope(row, source, f"{id_}-spend", "spend", money))
    return out
