"""Usage for bigger systems: the ledger's rows in the forms that meters, bills and cost reports read.

``FORMATS`` names them. Each is a pure function from rows, as ``GET /requests/feed`` gives them, to lines of text. Ids
are the requests' own, so a reader that gets a row twice knows it. To add a format: a module here, a line in the table.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aimon_local.exports.usage import cloudevents, flat, focus, openmeter

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Format:
    """One form: its media type, and the lines of a file of it (each with its end)."""

    media: str
    lines: Callable[[Rows, str], Iterator[str]]  # (rows, name of the source)
    about: str


EVENTS: Mapping[str, Callable[[Mapping[str, Any], str], list[dict[str, Any]]]] = {
    "cloudevents": cloudevents.events,
    "openmeter": openmeter.events,
}
"""Formats whose rows can be sent one by one: the events of one row."""


def _each_a_line(form: str, rows: Rows, source: str) -> Iterator[str]:
    for row in rows:
        for event in EVENTS[form](row, source):
            yield json.dumps(event, ensure_ascii=False) + "\n"


_EVENTS = "application/x-ndjson"
FORMATS: Mapping[str, Format] = {
    "cloudevents": Format(_EVENTS, partial(_each_a_line, "cloudevents"), "CloudEvents 1.0, one a line"),
    "openmeter": Format(_EVENTS, partial(_each_a_line, "openmeter"), "CloudEvents for OpenMeter's meters, one a line"),
    "focus": Format("text/csv", focus.lines, "FOCUS 1.2 cost and usage, by day, consumer and model"),
    "csv": Format("text/csv", flat.lines, "one row a request, money in dollars"),
}
PARQUET = "parquet"
"""A form beside these: no lines, but a file of its own (``exports.usage.parquet``), by an extra."""
