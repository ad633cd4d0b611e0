"""Cursors stay over a restart, each sink its own."""

from aimon_local.storage.cursors import Cursors
from aimon_local.storage.database import Database


def test_a_cursor_is_kept_for_each_sink(tmp_path):
    database = Database.open(tmp_path)
    cursors = Cursors(database)
    assert cursors.read("a") == 0
    for seq in (3, 9):
        cursors.write("a", seq)
    cursors.write("b", 1)
    database.close()
    again = Database.open(tmp_path)
    assert [Cursors(again).read(name) for name in "abc"] == [9, 1, 0]
    again.close()
