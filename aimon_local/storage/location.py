"""Where the data directory is when nobody says: the platform's own convention. Reads no files, makes none.

Order: the option ``--data``, then ``AIMON_LOCAL_DATA``, then the platform (XDG base directories on Unix).
"""

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "AIMON_LOCAL_DATA"
_NAME = "aimon-local"


def data_directory(chosen: str | Path | None, environ: Mapping[str, str], platform: str, home: Path) -> Path:
    """The data directory. ``platform`` as ``sys.platform`` names it; ``home`` as ``Path.home()`` gives it."""
    named = chosen or environ.get(VARIABLE)
    if named:
        text = str(named)
        return home / text[2:] if text.startswith("~/") else Path(text).absolute()
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / _NAME
    if platform == "darwin":
        return home / "Library" / "Application Support" / _NAME
    base = environ.get("XDG_DATA_HOME", "")
    # XDG base directories: a relative path is invalid and is to be ignored.
    return (Path(base) if base.startswith("/") else home / ".local" / "share") / _NAME
