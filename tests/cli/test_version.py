"""``version``."""

import platform

from aimon_local import __version__


def test_both_versions(alone):
    text = alone("version").stdout
    assert __version__ in text
    assert platform.python_version() in text
    assert alone.json("version")["version"] == __version__
