"""Reads aimon.toml (tomllib). Unknown is an error, never ignored: a misspelt key would leave a limit unarmed.

Errors name the file, the line, the key, and the nearest one that exists.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aimon_local.config import offers
from aimon_local.config.schema import SECTIONS, Config, GatewaySection, LimitsSection, check, rules_of
from aimon_local.errors import ConfigError


def load(path: Path) -> Config:
    """The configuration in a file; ConfigError: not there, not TOML, or not ours."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} can't be read ({error.strerror})", "is the path right?") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", "save it as UTF-8") from error
    return parse(text, str(path))


def parse(text: str, name: str = "aimon.toml") -> Config:
    """The configuration in a text; ``name`` is what errors call it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not valid TOML: {error}", "TOML: https://toml.io") from error
    sold = {kind: document.pop(kind) for kind in offers.KINDS if kind in document}
    for section, table in document.items():
        if section not in SECTIONS:
            raise _unknown(text, name, "section", section, (*SECTIONS, *offers.KINDS), None)
        if not isinstance(table, dict):
            raise _fault(text, name, None, section, "must be a section, such as [gateway]")
    return Config(
        gateway=GatewaySection(**_values(text, name, "gateway", document.get("gateway", {}))),
        limits=LimitsSection(**_values(text, name, "limits", document.get("limits", {}))),
        offers=tuple(offers.read(sold, name, text)) if sold else (),
    )


def _values(text: str, name: str, section: str, table: dict[str, Any]) -> dict[str, Any]:
    rules, out = rules_of(section), {}
    for key, value in table.items():
        if key not in rules:
            raise _unknown(text, name, "key", key, rules, section)
        fault = check(rules[key], value)
        if fault is not None:
            raise _fault(text, name, section, key, fault)
        kind = rules[key]["kind"]
        out[key] = kind(value) if kind in (tuple, float) else value
    return out


def _unknown(text: str, name: str, what: str, word: str, known: Iterable[str], section: str | None) -> ConfigError:
    near = difflib.get_close_matches(word, list(known), 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    where = f" in [{section}]" if section else ""
    return ConfigError(f"{_place(text, name, section, word)}: unknown {what} {word!r}{where}", hint)


def _fault(text: str, name: str, section: str | None, key: str, fault: str) -> ConfigError:
    hint = str(rules_of(section)[key]["doc"]) if section else ""
    return ConfigError(f"{_place(text, name, section, key)}: {key} {fault}", hint)


def _place(text: str, name: str, section: str | None, key: str) -> str:
    """``file:line`` where a key or a section is written; the file alone where it is written in an unusual way."""
    word = re.escape(key)
    heading = re.compile(r"\s*\[\s*([^\]\s]+)\s*\]")
    wanted = re.compile(
        rf"\s*(\[+\s*)?[\"']?{word}[\"']?\s*([=\].]|$)" if section is None else rf"\s*[\"']?{word}[\"']?\s*="
    )
    current: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        found = heading.match(line)
        current = found[1].strip("\"'") if found else current
        if (section is None or current == section) and wanted.match(line):
            return f"{name}:{number}"
    return name
