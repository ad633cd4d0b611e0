"""Finds the scripts that come with the program: beside the package in a checkout, within it in an installed wheel."""

from difflib import get_close_matches
from pathlib import Path

import aimon_local
from aimon_local.errors import ConfigError

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
    """A file, or the shipped script of that name; raises ConfigError for a word that is neither."""
    path = Path(word)
    if path.exists() or path.suffix:
        return path
    found = next((each for each in scripts() if each.stem == word), None)
    if found is None:
        like = get_close_matches(word, [each.stem for each in scripts()], 1)
        meant = f"did you mean {like[0]}? " if like else ""
        raise ConfigError(f"there is no script {word!r}", f"{meant}aimon-local run lists what is there")
    return found
