"""The moved clock in SQLite: what is put is read, one row at most, and a directory can be asked from outside."""

import contextlib

from aimon_local.clock import Setting
from aimon_local.storage import clock
from aimon_local.storage.database import Database


def put(database, setting):
    with contextlib.closing(database.connect()) as db:
        sql, rows = clock.put(setting)
        db.executemany(sql, rows)


def test_the_last_setting_is_kept_and_reset_forgets_it(tmp_path):
    database = Database.open(tmp_path)
    assert clock.stored(database) is None
    for setting in (Setting(1, 2, 3), Setting(4, 5, 0), None, Setting(7, 8, 1)):
        put(database, setting)
        assert clock.stored(database) == setting
        assert clock.of_directory(tmp_path) == setting
    database.close()


def test_where_there_is_no_database_the_clock_is_the_machines(tmp_path):
    assert clock.of_directory(tmp_path) is None
