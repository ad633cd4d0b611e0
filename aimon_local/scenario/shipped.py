"""Finds the scripts that come with the program: beside the package in a checkout, within it in an installed wheel."""

from pathlib import Path

import aimon_local

_PLACES = ("_scenarios", "../scenarios")


def folder() -> Path | None:
    """Where they are; None: this installation has none."""
    here = Path(aimon_local.__file__).parent
    return next((found for place in _PLACES if (found := (here / place).resolve()).is_dir()), None)


def scripts() -> list[Path]:
    """All of them, by name."""
    found = folder()
    return sorted(found.glob("*.toml")) if found else []


def named(word: str) -> Path:
    """A file, or the shipped script of that name."""
    path = Path(word)
    if path.exists() or path.suffix:
        return path
    return next((each for each in scripts() if each.stem == word), path)
