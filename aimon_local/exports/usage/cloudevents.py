"""CloudEvents 1.0 in JSON (cloudevents.io): one event for each request of the ledger, refused ones too."""

from collections.abc import Mapping
from typing import Any

from aimon_local.exports.usage.facts import facts
from aimon_local.model.moment import rfc3339

TYPE = "aimon.request"


def events(row: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """The event of a row."""
    return [envelope(row, source, row["request_id"], TYPE, facts(row))]


def envelope(row: Mapping[str, Any], source: str, id_: str, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event about a row. ``id`` and ``source`` together are the same whenever it is sent (CloudEvents 3.1)."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": kind,
        "subject": row["consumer"] or "anonymous",
        "time": rfc3339(row["at_ns"]),
        "datacontenttype": "application/json",
        "data": dict(data),
    }
