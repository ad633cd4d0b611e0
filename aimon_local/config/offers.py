"""What is sold, and to which agents, as TOML or as the same in JSON. Read to entities and written back.

    [tiers.NAME]          [price_plans.NAME]          [[model_prices]]          [agents.NAME]

The fields are those of the Admin API (``model.entities.tiers``), which judges them too; here unknown keys get the
nearest known one named, dates become Unix seconds, and a document comes back without what it leaves open. To add a kind
of offer: its schema there, and a line in ``KINDS``.
"""

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from aimon_local.errors import ConfigError
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.schema import Field
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation

KINDS = ("price_plans", "model_prices", "tiers", "agents")
"""In the order in which they are stored."""

Offer = tuple[str, dict[str, Any]]
_OWN = ("id", "created_at", "updated_at")
_LISTS = ("model_prices",)
_REFERENCES = {"consumer": "username", "route": "name", "owner": "username"}
_MOMENT = 1_000_000_000  # any will do


class _NoIds:
    """Offers are judged here and not stored: no name needs to be fresh."""

    def uuid(self) -> str:
        return "00000000-0000-4000-8000-000000000000"

    def token32(self) -> str:
        return "0" * 32


def seeded() -> list[Offer]:
    """The offers of a first start."""
    folder = files("aimon_local.config")
    return [
        offer
        for name in ("tiers.toml", "prices.toml")
        for offer in parse(folder.joinpath(name).read_text(encoding="utf-8"), name)
    ]


def parse(text: str, name: str) -> list[Offer]:
    """The offers of a TOML text; ConfigError names file, place and key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not valid TOML: {error}", "TOML: https://toml.io") from error
    return read(document, name, text)


def read(document: Mapping[str, Any], name: str, text: str = "") -> list[Offer]:
    """The offers of a document; ``text``, where there is one, gives lines to errors."""
    for section in document:
        if section not in KINDS:
            raise _unknown(name, text, section, KINDS, "section", "")
    return [
        (kind, _judged(kind, row, where, name, text)) for kind in KINDS for where, row in _rows(kind, document, name)
    ]


def _rows(kind: str, document: Mapping[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, entity) of one section."""
    section = document.get(kind)
    if section is None:
        return
    wanted: type = list if kind in _LISTS else dict
    if not isinstance(section, wanted):
        form = f"[[{kind}]]" if kind in _LISTS else f"[{kind}.NAME]"
        raise ConfigError(f"{name}: {kind} must be written as {form}", "")
    table: Any = section
    pairs = enumerate(table, 1) if kind in _LISTS else table.items()
    for key, row in pairs:
        where = f"{kind}[{key}]" if kind in _LISTS else f"{kind}.{key}"
        if not isinstance(row, Mapping):
            raise ConfigError(f"{name}: {where} must be a table", "")
        yield where, dict(row) if kind in _LISTS else {"name": key, **row}


def _judged(kind: str, row: dict[str, Any], where: str, name: str, text: str) -> dict[str, Any]:
    """A row without faults, its dates as numbers; references by name stay as they are."""
    _known_keys(SCHEMAS[kind].fields, row, where, name, text)
    plain = {key: _plain(_reference(key, value)) for key, value in row.items()}
    alone = {key: value for key, value in plain.items() if key not in _REFERENCES}  # whom they name is known later
    if kind == "agents":  # its consumer follows from its name
        alone |= {name: {"id": _NoIds().uuid()} for name in ("consumer", *plain) if name in ("consumer", "owner")}
    done = process(SCHEMAS[kind], alone, mode="insert", now=_MOMENT, ids=_NoIds(), schemas=SCHEMAS)
    if isinstance(done, Violation):
        raise ConfigError(f"{_place(text, name, where)}: {where}: {_first(done.body.get('fields', {}))}", "")
    return plain


def _reference(key: str, value: Any) -> Any:
    """``consumer = "ann"`` stands for the consumer of that name."""
    return {_REFERENCES[key]: value} if key in _REFERENCES and isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
        return int(value.timestamp())
    if isinstance(value, datetime.date):
        return int(datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC).timestamp())
    return value


def _known_keys(fields: Iterable[Field], row: Mapping[str, Any], where: str, name: str, text: str) -> None:
    known = {field.name: field for field in fields if field.name not in _OWN}
    for key, value in row.items():
        field = known.get(key)
        if field is None:
            raise _unknown(name, text, key, known, "key", where)
        inner = field.elements.fields if field.elements is not None else field.fields
        for part in value if isinstance(value, list) else [value]:
            if inner and isinstance(part, Mapping):
                _known_keys(inner, part, f"{where}.{key}", name, text)


def _unknown(name: str, text: str, word: str, known: Iterable[str], what: str, where: str) -> ConfigError:
    near = difflib.get_close_matches(word, list(known), 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return ConfigError(f"{_place(text, name, word)}: unknown {what} {word!r}{f' in {where}' if where else ''}", hint)


def _place(text: str, name: str, word: str) -> str:
    """``file:line`` of the first line that has the word as a key or a heading; the file where none has."""
    wanted = re.compile(rf"(^\s*\[*\s*|[{{,]\s*|^\s*)[\"']?{re.escape(word)}[\"']?\s*[\]=.]")
    for number, line in enumerate(text.splitlines(), 1):
        if wanted.search(line):
            return f"{name}:{number}"
    return name


def _first(faults: Any, at: str = "") -> str:
    """The first fault of a violation, with the path of its field."""
    if isinstance(faults, Mapping):
        for key, inner in faults.items():
            return _first(inner, at if key == "@entity" else f"{at}.{key}" if at else str(key))
    if isinstance(faults, list):
        place, inner = next((pair for pair in enumerate(faults) if pair[1]), (0, ""))
        return _first(inner, f"{at}[{place + 1}]" if isinstance(inner, Mapping) else at)
    return f"{at}: {faults}" if at else str(faults)


def dumps(offers: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Offers as TOML: reading it gives the same, without what a row leaves open."""
    import tomli_w  # noqa: PLC0415 - a start only reads

    return tomli_w.dumps(as_document(offers))


def as_document(offers: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Offers as the document that ``read`` takes."""
    document: dict[str, Any] = {}
    for kind, row in offers:
        body = _bare({key: value for key, value in row.items() if key not in _OWN})
        if kind in _LISTS:
            document.setdefault(kind, []).append(body)
        else:
            document.setdefault(kind, {})[body.pop("name")] = body
    return document


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _bare(inner) for key, inner in value.items() if inner is not None}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value
