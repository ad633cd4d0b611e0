"""Doctor's look at a data directory."""

from aimon_local.storage.database import NAME, Database
from aimon_local.storage.inspection import inspect


def test_a_directory_that_is_not_there(tmp_path):
    assert "not there yet" in inspect(tmp_path / "none")[0].text


def test_a_whole_database(tmp_path):
    directory = tmp_path / "data"
    Database.open(directory).close()
    (found,) = inspect(directory)
    assert "whole, 0 ledger rows" in found.text
    assert not found.fault


def test_rights_and_damage_are_told(tmp_path):
    directory = tmp_path / "data"
    Database.open(directory).close()
    directory.chmod(0o755)
    (directory / NAME).write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    rights, damage = inspect(directory)
    assert "chmod 700" in rights.hint
    assert damage.fault
