"""Apache Parquet: the rows of ``flat`` with their types, for notebooks and warehouses. Needs the extra ``parquet``.

Money is decimal (nine places: the ledger's own), times are UTC to the microsecond (finer ones many readers refuse).
Written in groups, so that a long ledger never stands in memory as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.exports.usage.facts import KINDS, facts

_GROUP = 10_000  # rows
_MONEY = ("cost", "charge")
_WHOLE = ("status", "total_us", "bytes_in", "bytes_out", "tokens", *(f"{kind}_tokens" for kind in KINDS))
_YES = ("complete", "stream")


def write(rows: Iterable[Mapping[str, Any]], source: str, to: Path) -> None:
    """All rows into a file; raises ConfigError where the extra is not installed or the file can't be written."""
    try:
        import pyarrow  # noqa: PLC0415 (heavy, and an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as fault:
        raise ConfigError("Parquet needs the extra", "pip install 'aimon-local[parquet]'") from fault
    schema = _schema(pyarrow)
    try:
        with parquet.ParquetWriter(to, schema) as file:
            for group in _groups(rows, source):
                file.write_table(pyarrow.Table.from_pylist(group, schema=schema))
    except OSError as fault:
        raise ConfigError(f"{to} can't be written: {fault}", "choose another --out") from fault


def _groups(rows: Iterable[Mapping[str, Any]], source: str) -> Iterator[list[dict[str, Any]]]:
    records = (_record(row, source) for row in rows)
    while group := list(islice(records, _GROUP)):
        yield group


def _record(row: Mapping[str, Any], source: str) -> dict[str, Any]:
    known = facts(row)
    money = {name: Decimal(known[name]) for name in _MONEY}
    return {"time": row["at_ns"] // 1000, "request_id": row["request_id"], "gateway": source, **known, **money}


def _schema(pyarrow: Any) -> Any:
    """The columns with their types, in the order of ``facts``."""
    kinds: dict[str, Any] = {
        **dict.fromkeys(_MONEY, pyarrow.decimal128(28, 9)),
        **dict.fromkeys(_WHOLE, pyarrow.int64()),
        **dict.fromkeys(_YES, pyarrow.bool_()),
    }
    blank: dict[str, Any] = {"ai": None, **dict.fromkeys(_FACTS, None)}
    names = list(facts(blank))
    columns = [("time", pyarrow.timestamp("us", tz="UTC")), ("request_id", pyarrow.string())]
    columns += [("gateway", pyarrow.string()), *((name, kinds.get(name, pyarrow.string())) for name in names)]
    return pyarrow.schema(columns)


_FACTS = (
    *("consumer", "consumer_id", "tier", "route", "service", "method", "status"),
    *("decision", "deny_reason", "complete", "total_us", "bytes_in", "bytes_out"),
)
