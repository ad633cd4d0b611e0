import sqlite3

import pytest

from aimon_local.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from aimon_local.storage.faults import store_error


def sqlite_error(code):
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.SQLITE_BUSY | 2 << 8, StoreBusy),  # an extended code (BUSY_SNAPSHOT)
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_CORRUPT, StoreCorrupt),
        (sqlite3.SQLITE_NOTADB, StoreCorrupt),
        (sqlite3.SQLITE_READONLY, StoreError),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, StoreError),
        (sqlite3.SQLITE_ERROR, StoreError),
    ],
)
def test_each_code_becomes_its_fault_with_a_hint(code, kind):
    fault = store_error(sqlite_error(code))
    assert type(fault) is kind
    assert "what SQLite says" in str(fault)
    assert fault.hint


def test_errors_without_a_code_and_faults_of_our_own():
    assert type(store_error(sqlite3.ProgrammingError("closed"))) is StoreError
    own = StoreFull("x")
    assert store_error(own) is own
