from pathlib import Path

import pytest

from aimon_local.storage.location import data_directory

HOME = Path("/home/ann")


@pytest.mark.parametrize(
    ("chosen", "environ", "platform", "expected"),
    [
        ("/srv/x", {"AIMON_LOCAL_DATA": "/other"}, "linux", "/srv/x"),
        (None, {"AIMON_LOCAL_DATA": "/other", "XDG_DATA_HOME": "/xdg"}, "linux", "/other"),
        (None, {"AIMON_LOCAL_DATA": "~/lab"}, "linux", "/home/ann/lab"),
        (None, {"AIMON_LOCAL_DATA": ""}, "linux", "/home/ann/.local/share/aimon-local"),
        (None, {"XDG_DATA_HOME": "/xdg"}, "linux", "/xdg/aimon-local"),
        (None, {"XDG_DATA_HOME": "relative"}, "linux", "/home/ann/.local/share/aimon-local"),
        (None, {}, "freebsd14", "/home/ann/.local/share/aimon-local"),
        (None, {"XDG_DATA_HOME": "/xdg"}, "darwin", "/home/ann/Library/Application Support/aimon-local"),
        (None, {"LOCALAPPDATA": "/appdata"}, "win32", "/appdata/aimon-local"),
        (None, {}, "win32", "/home/ann/AppData/Local/aimon-local"),
    ],
)
def test_the_option_then_the_variable_then_the_platform(chosen, environ, platform, expected):
    assert data_directory(chosen, environ, platform, HOME) == Path(expected)


def test_a_relative_choice_is_meant_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert data_directory(Path("lab"), {}, "linux", HOME) == tmp_path / "lab"
