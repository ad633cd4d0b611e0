"""The table of alerts: each once, what still fires, and what was not delivered."""

import pytest

from aimon_local.errors import StoreError
from aimon_local.model.alert import FIRING, OVER, REACHED, RESOLVED, Alert
from aimon_local.storage.alerts import AlertTable
from aimon_local.storage.database import Database
from tests.support.ledger import add, counter, on_ledger, usage_row


def alert(number, state=FIRING, consumer="ann"):
    why = REACHED if state == FIRING else OVER
    return Alert(f"a{number}", state, number, why, "c-1", consumer, "free", "requests/day", 80, 100, 80, 86_400, "r")


@pytest.fixture
def table(tmp_path):
    database = Database.open(tmp_path)
    yield AlertTable(database)
    database.close()


def test_an_alert_is_stored_once(table):
    assert table.add([alert(1), alert(2)], True) == [alert(1), alert(2)]
    assert table.add([alert(1), alert(3)], True) == [alert(3)]
    assert table.listed(None, None, 10) == [alert(3), alert(2), alert(1)]


def test_what_was_resolved_fires_no_more(table):
    table.add([alert(1), alert(2, consumer="bob"), alert(1, RESOLVED)], True)
    assert table.firing() == [alert(2, consumer="bob")]
    assert table.listed(FIRING, None, 10) == [alert(2, consumer="bob")]
    assert table.listed(FIRING, "ann", 10) == []
    assert table.listed(RESOLVED, "ann", 10) == [alert(1, RESOLVED)]
    assert table.listed(None, "ann", 1) == [alert(1, RESOLVED)]


def test_what_waits_is_known_until_it_is_delivered(table):
    table.add([alert(1), alert(2)], False)
    table.add([alert(3)], True)
    assert table.waiting(10) == [(1, alert(1)), (2, alert(2))]
    table.delivered([1])
    assert table.waiting(10) == [(2, alert(2))]


def test_what_calendar_limits_hold_is_read_from_their_counters(tmp_path):
    async def steps(writer, database):
        cells = counter(9, "tier:c-1", "tokens/hour:sliding@3"), counter(9, "tier:c-1", "month/cost")
        await add(writer, usage_row(1), counter(7, "tier:c-1", "requests/day"), counter(3), *cells)
        table = AlertTable(database)
        assert table.counters(3_999_999_999) == [("c-1", "requests/day", 4_000_000_000, 7)]
        assert table.counters(4_000_000_000) == []  # its window is over

    on_ledger(tmp_path, steps)


def test_a_store_that_is_gone_is_a_store_error(table, tmp_path):
    (tmp_path / "aimon-local.db").unlink()
    for asked in (
        lambda: table.add([alert(1)], True),
        table.firing,
        lambda: table.counters(0),
        lambda: table.delivered([1]),
    ):
        with pytest.raises(StoreError):
            asked()
