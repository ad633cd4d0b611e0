"""Parquet: the same rows as the other forms, with their types."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from aimon_local.errors import ConfigError
from aimon_local.exports.usage.parquet import write
from tests.exports.usage.test_formats import ROWS, SOURCE, table

parquet = pytest.importorskip("pyarrow.parquet")


def test_rows_come_back_with_their_types(tmp_path):
    write(ROWS, SOURCE, tmp_path / "usage.parquet")
    found = parquet.read_table(tmp_path / "usage.parquet").to_pylist()
    assert [row["request_id"] for row in found] == ["r1", "r2", "r3", "r4", "r5"]
    first = found[0]
    assert (first["tokens"], first["cost"], first["charge"]) == (170, Decimal("0.0015"), Decimal("0.002"))
    assert (first["status"], first["complete"], first["gateway"]) == (200, True, SOURCE)
    assert first["time"] == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert found[3]["deny_reason"] == "requests/day"


def test_it_has_what_csv_has(tmp_path):
    write(ROWS, SOURCE, tmp_path / "usage.parquet")
    names = set(parquet.read_schema(tmp_path / "usage.parquet").names)
    assert names == set(table("csv")[0])


def test_no_rows_are_an_empty_file_that_can_be_read(tmp_path):
    write([], SOURCE, tmp_path / "none.parquet")
    assert parquet.read_table(tmp_path / "none.parquet").num_rows == 0


def test_a_file_that_cant_be_written_is_said(tmp_path):
    with pytest.raises(ConfigError, match="can't be written"):
        write(ROWS, SOURCE, tmp_path / "nowhere" / "x.parquet")
