"""``/config``: the whole configuration as one document, out and in. Kong has it without a database only, we always.

JSON works by itself, YAML with the extra ``yaml``. A document replaces everything, in one transaction or not at all.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from aimon_local.gateway.admin import body
from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message, refused
from aimon_local.gateway.admin.visible import document_fault, shown
from aimon_local.model import declarative
from aimon_local.model.violation import Violation

MOST_VALUES = 1_000_000  # of a YAML document, aliases counted as often as they are used
YAML = ("application/yaml", "text/yaml")
NO_YAML = "this body is YAML, which needs the extra: pip install 'aimon-local[yaml]'; JSON works without it"
_NOT_GIVEN = message(400, "expected a declarative configuration")


def show(ask: Ask) -> Reply:
    """GET /config: the configuration as a text, YAML if it can be written, else JSON (which is YAML too).

    ``format=json``: JSON in any case, for programs that read no YAML.
    """
    document = declarative.dump(ask.context.catalog, ask.context.now())
    yaml = None if ask.query.first("format") == "json" else _yaml()
    if yaml is None:
        text = json.dumps(document, indent=2, ensure_ascii=False)
    else:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return json_reply(200, {"config": text})


async def load(ask: Ask) -> Reply:
    """POST /config. ``check_hash=1``: 304 where nothing would change; ``flatten_errors=1``: errors entity by entity."""
    document = _document(ask)
    if isinstance(document, Reply):
        return document
    context = ask.context
    fault = document_fault(context, document)
    if fault is not None:
        return message(400, fault)
    async with context.writing:
        flat = ask.query.flag("flatten_errors")
        loaded = declarative.load(document, context.catalog, context.now(), context.ids, flatten_errors=flat)
        if isinstance(loaded, Violation):
            return refused(loaded)
        if not loaded.changes and ask.query.flag("check_hash"):
            return Reply(304)
        await context.commit(loaded.changes)
    return json_reply(201, _by_kind(ask))


def _by_kind(ask: Ask) -> dict[str, Any]:
    context = ask.context
    found = declarative.by_id(context.catalog, context.now())
    return {kind: {id_: shown(context, kind, row) for id_, row in rows.items()} for kind, rows in found.items()}


def _document(ask: Ask) -> Any:
    """The document that the body holds, or the Reply that says why there is none."""
    raw, kind = ask.request.body, ask.request.get("content-type")
    if kind is not None and kind.lower().startswith(YAML):
        return _parsed(raw)
    decoded = body.decode(raw, kind, ask.request.get("content-length"))
    if isinstance(decoded, str):
        return Reply(415)
    if isinstance(decoded, Violation):
        return refused(decoded)
    if "config" in decoded.data:
        text = decoded.data["config"]
        return _parsed(text.encode()) if isinstance(text, str) and text else _NOT_GIVEN
    return decoded.data if decoded.data and not decoded.form else _NOT_GIVEN


def _parsed(raw: bytes) -> Any:
    """A JSON or YAML text as a document."""
    if not raw.strip():
        return _NOT_GIVEN
    as_json = body.parse_json(raw)
    if not isinstance(as_json, Violation) and as_json is not body.EMPTY:
        return as_json.data
    yaml = _yaml()
    if yaml is None:
        return message(400, NO_YAML)
    try:
        document = _plain(yaml.load(raw, Loader=_loader(yaml)), count())
        return refused(declarative.unparsable("it nests too deep")) if body.too_deep(document) else document
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        return refused(declarative.unparsable(str(fault)))


def _yaml() -> Any:
    """The YAML library, where the extra is installed; it is imported here, so that starting does not pay for it."""
    try:
        import yaml  # noqa: PLC0415
    except ImportError:
        return None
    return yaml


def _loader(yaml: Any) -> Any:
    """The safe loader without dates: a text that looks like one is a text, as in JSON."""

    class Plain(yaml.SafeLoader):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012
            first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Plain


def _plain(value: Any, budget: Iterator[int]) -> Any:
    """YAML's values as JSON's; raises ValueError for those that JSON has not, or when the aliases of a text explode."""
    if next(budget) > MOST_VALUES:
        raise ValueError("it has too many values")
    if isinstance(value, Mapping):
        return {str(name): _plain(item, budget) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, budget) for item in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and value - value == 0):
        return value
    raise ValueError(f"a value of type {type(value).__name__} has no JSON form")
