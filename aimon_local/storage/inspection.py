"""A look at a data directory from outside, for ``doctor``: reads only, and needs no lock."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from aimon_local.storage.database import NAME


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found; ``fault``: the directory can't be used as it is."""

    text: str
    hint: str = ""
    fault: bool = False


def inspect(directory: Path) -> list[Inspection]:
    """The directory's rights and the database's health."""
    if not directory.exists():
        return [Inspection(f"data directory {directory}: not there yet, the first start makes it")]
    found = []
    if os.name == "posix" and directory.stat().st_mode & 0o077:
        found.append(Inspection(f"data directory {directory} can be read by others", f"chmod 700 {directory}"))
    path = directory / NAME
    if not path.exists():
        return [*found, Inspection(f"data directory {directory}: no database yet")]
    try:
        return [*found, _check(path)]
    except sqlite3.Error as error:
        hint = "stop the gateway, and put a copy of the directory in its place"
        return [*found, Inspection(f"database {path}: {error}", hint, fault=True)]


def _check(path: Path) -> Inspection:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        rows = database.execute("SELECT count(*) FROM usage_rows").fetchone()[0]
    finally:
        database.close()
    if verdict != "ok":
        return Inspection(
            f"database {path} is damaged: {verdict}", "put a copy of the directory in its place", fault=True
        )
    return Inspection(f"database {path}: whole, {rows} ledger rows")
