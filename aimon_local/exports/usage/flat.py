"""CSV (RFC 4180): one row a request, for spreadsheets and scripts. Money in dollars, times in UTC."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aimon_local.exports.usage.facts import facts
from aimon_local.model.moment import rfc3339

_NUMBER = re.compile(r"-?[0-9.]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(rows: Iterable[Mapping[str, Any]], source: str) -> Iterator[str]:
    """A header, then the rows."""
    head: Sequence[str] | None = None
    for row in rows:
        record = {"time": rfc3339(row["at_ns"]), "request_id": row["request_id"], "gateway": source, **facts(row)}
        if head is None:
            head = list(record)
            yield line(head)
        yield line([record[name] for name in head])


def line(cells: Iterable[Any]) -> str:
    """One line; a text of the traffic that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(["" if cell is None else _safe(cell) for cell in cells])
    return out.getvalue()


def _safe(cell: Any) -> Any:
    dangerous = isinstance(cell, str) and cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell)
    return "'" + cell if dangerous else cell
