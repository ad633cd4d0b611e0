"""Just enough of an Admin API around a catalog to play recorded exchanges without HTTP."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from aimon_local.model.catalog import Catalog
from aimon_local.model.coerce import coerce, decode_args
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.paging import parse_size, parse_tags
from aimon_local.model.schema_json import config_schema, entity_schema, plugin_schema_json
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation

KINDS = {
    "services": "services",
    "routes": "routes",
    "consumers": "consumers",
    "plugins": "plugins",
    "upstreams": "upstreams",
    "key-auths": "keyauth_credentials",
    "basic-auths": "basicauth_credentials",
    "jwts": "jwt_secrets",
    "acls": "acls",
}
CHILDREN = {
    "routes": "routes",
    "plugins": "plugins",
    "targets": "targets",
    "key-auth": "keyauth_credentials",
    "basic-auth": "basicauth_credentials",
    "jwt": "jwt_secrets",
    "acls": "acls",
}
OFFERED = {
    "services": ("routes", "plugins"),
    "routes": ("plugins",),
    "consumers": ("plugins", "key-auth", "basic-auth", "jwt", "acls"),
    "upstreams": ("targets",),
}
SINGULAR = {"services": "service", "routes": "route", "consumers": "consumer", "upstreams": "upstream"}
NOT_FOUND = (404, {"message": "Not found"})
NOW = 1_700_000_000_500_000_000


class CountingIds:
    """Predictable names that look like real ones."""

    def __init__(self):
        self.made = 0

    def uuid(self):
        self.made += 1
        return f"{self.made * 7919 % 0xFFFF:08x}-0000-4000-8000-{self.made:012x}"

    def token32(self):
        self.made += 1
        return f"{self.made:032d}"


class Admin:
    """Answers (status, body) to a method, a target and a body."""

    def __init__(self, plugin_schemas=None, schemas=SCHEMAS):
        self.catalog = Catalog(schemas, plugin_schemas or {})
        self.ids = CountingIds()
        self.now = NOW

    def ask(self, method, target, kind=None, body=None):
        parts = urlsplit(target)
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        data = _data(kind, body)
        if data is None:
            return 400, {"message": "Cannot parse JSON body"}
        answer = (
            self._schemas(method, path, data) if "schema" in parts.path else self._entity(method, path, query, data)
        )
        return (answer.status, answer.body) if isinstance(answer, Violation) else answer

    def _entity(self, method, path, query, data):
        kind = KINDS.get(path[0])
        if kind is None:
            return NOT_FOUND
        if len(path) == 1:
            return self._collection(method, f"/{path[0]}", kind, query, data, None)
        if len(path) == 2:
            return self._one(method, kind, path[1], data, None)
        parent = self.catalog.resolve(kind, path[1], now=self.now)
        if isinstance(parent, Violation):
            return parent
        if parent is None:
            return NOT_FOUND
        if path[2] in OFFERED.get(kind, ()):
            where = (SINGULAR[kind], parent["id"])
            child = CHILDREN[path[2]]
            if len(path) == 3 or path[3:] == ["all"]:
                return self._collection(method, "/" + "/".join(path[:3]), child, query, data, where)
            return self._one(method, child, path[3], data, where)
        return self._attached(method, kind, parent, path[2], data)

    def _attached(self, method, kind, owner, name, data):
        """``/routes/r/service`` and the like."""
        kinds = {field.name: field.attrs["reference"] for field in SCHEMAS[kind].fields if field.type == "foreign"}
        if name not in kinds:
            return NOT_FOUND
        if method == "DELETE":
            return 405, {"message": "Method not allowed"}
        if owner[name] is not None:
            return self._one(method, kinds[name], owner[name]["id"], data, None)
        if method != "PUT":
            return NOT_FOUND
        made = self._done(self.catalog.insert(kinds[name], data, self.now, self.ids), 200)
        if isinstance(made, Violation):
            return made
        self._done(self.catalog.update(kind, owner["id"], {name: {"id": made[1]["id"]}}, self.now, self.ids), 200)
        return made

    def _collection(self, method, path, kind, query, data, where):
        if method == "POST":
            data = self._typed(kind, data)
            if where is not None:
                data[where[0]] = {"id": where[1]}
            return self._done(self.catalog.insert(kind, data, self.now, self.ids), 201)
        if query.get("custom_id"):
            found = self.catalog.select_by(kind, "custom_id", query["custom_id"])
            return 200, {"data": [found] if found else [], "next": None}
        return self._list(path, kind, query, where)

    def _list(self, path, kind, query, where):
        size = parse_size(query.get("size"))
        tags = parse_tags(query["tags"]) if "tags" in query and where is None else None
        for argument in (size, tags):
            if isinstance(argument, Violation):
                return argument
        offset = query.get("offset")
        page = self.catalog.page(kind, size=size, offset=offset, tags=tags, where=where, now=self.now)
        if isinstance(page, Violation):
            return page
        if page.next_offset is None:
            return 200, {"data": page.rows, "next": None}
        more = f"&tags={query['tags']}" if tags else ""
        more += f"&size={query['size']}" if "size" in query and where is None else ""
        return 200, {
            "data": page.rows,
            "next": f"{path}?offset={page.next_offset}{more}",
            "offset": page.next_offset,
        }

    def _one(self, method, kind, key, data, where):
        catalog = self.catalog
        if method == "GET":
            found = catalog.resolve(kind, key, where=where, now=self.now)
            return NOT_FOUND if found is None else found if isinstance(found, Violation) else (200, found)
        if method == "DELETE":
            plan = catalog.delete(kind, key, where=where)
            if not isinstance(plan, Violation) and where is not None and not plan.changes:
                return NOT_FOUND
            return self._done(plan, 204)
        write = catalog.update if method == "PATCH" else catalog.upsert
        return self._done(write(kind, key, self._typed(kind, data), self.now, self.ids, where=where), 200)

    def _typed(self, kind, data):
        if not isinstance(data, Form):
            return data
        schema = self.catalog.schema_for(kind, data.get("name"))
        return coerce(SCHEMAS[kind] if isinstance(schema, Violation) else schema, data, SCHEMAS)

    def _done(self, plan, status):
        if isinstance(plan, Violation):
            return plan
        self.catalog.apply(plan.changes)
        return status, plan.entity

    def _schemas(self, method, path, data):
        if path[:2] == ["plugins", "schema"]:
            return self._plugin_schema(path[2:], config_schema)
        if path[-1] == "validate" and len(path) == 3:
            return self._validate(path[1], data) if method == "POST" else (405, {"message": "Method not allowed"})
        if method != "GET":
            return (405, {"message": "Method not allowed"}) if len(path) < 4 else NOT_FOUND
        if path[:2] == ["schemas", "plugins"] and len(path) == 3:
            return self._plugin_schema(path[2:], plugin_schema_json)
        if len(path) != 2:
            return NOT_FOUND
        schema = self.catalog.schemas.get(path[1])
        if schema is None or not schema.in_admin:
            return 404, {"message": f"No entity named '{path[1]}'"}
        return 200, entity_schema(schema)

    def _plugin_schema(self, rest, render):
        if not rest:
            return NOT_FOUND
        schema = self.catalog.plugin_schemas.get(rest[0])
        return (200, render(schema)) if schema else (404, {"message": f"No plugin named '{rest[0]}'"})

    def _validate(self, kind, data):
        if kind not in self.catalog.schemas:
            return 404, {"message": f"No entity named '{kind}'"}
        schema = self.catalog.schema_for(kind, data.get("name"))
        if isinstance(schema, Violation):
            return schema
        made = process(schema, data, mode="insert", now=self.now, ids=self.ids, schemas=self.catalog.schemas)
        return made if isinstance(made, Violation) else (200, {"message": "schema validation successful"})


class Form(dict):
    """Data that came as text."""


def _data(kind, body):
    if kind is None or body is None:
        return {}
    if kind.startswith("application/json"):
        try:
            return json.loads(body)
        except ValueError:
            return None
    pairs = []
    for piece in body.split("&"):
        name, mark, value = piece.partition("=")
        if piece:
            pairs.append((unquote(name.replace("+", " ")), unquote(value.replace("+", " ")) if mark else True))
    return Form(decode_args(pairs))


# ---- comparing

PLACEHOLDERS = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "key32": r"[A-Za-z0-9]{32}",
    "token": r"[A-Za-z0-9_%-]+",
    "hash": r"[0-9a-f]{40}",
}


def load(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def play(story, admin, skip=()):
    """Differences between what was recorded and what ``admin`` answers, as texts."""
    variables = {
        "upstream": "http://127.0.0.1:4001",
        "upstream_port": "4001",
        "upstream_host": "127.0.0.1",
        "dead_port": "4009",
        "upstream2_port": "4002",
        "run": "r1",
    }
    differences = []
    for number, step in enumerate(story["steps"], 1):
        body = step.get("body")
        body = json.dumps(body, ensure_ascii=False) if body is not None and not isinstance(body, str) else body
        target, body = _filled(step["path"], variables), body and _filled(body, variables)
        status, answer = admin.ask(step["method"], target, step.get("type"), body)
        for name, where in step.get("capture", {}).items():
            value = answer
            for part in where.removeprefix("$.").split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                variables[name] = str(value)
        if step.get("cleanup") or (step["method"], step["path"]) in skip:
            continue
        title = f"{number} {step['method']} {target} {body or ''}: "
        if status != step["status"]:
            differences.append(f"{title}{status} {answer}, recorded {step['status']} {step.get('json')}")
        elif "json" in step:
            unordered = step.get("unordered", ["$.data"])
            found = list(_differ(_wanted(step["json"], variables), answer, "$", unordered, step.get("schema", False)))
            differences += [title + text for text in found]
    return differences


def _filled(text, variables):
    text = re.sub(r'"\$\{(\w+):int\}"', lambda m: str(variables.get(m[1], m[0])), text)
    return re.sub(r"\$\{(\w+)\}", lambda m: str(variables.get(m[1], m[0])), text)


def _wanted(recorded, variables):
    return json.loads(_filled(json.dumps(recorded, ensure_ascii=False), variables))


def _differ(want, got, at, unordered, schema):
    if isinstance(want, dict) and isinstance(got, dict):
        if schema:
            want, got = _no_prose(want), _no_prose(got)
        for name in sorted(want.keys() | got.keys()):
            if name not in got or name not in want:
                yield f"{at}.{name}: {'missing' if name in want else 'too much'}"
            else:
                yield from _differ(want[name], got[name], f"{at}.{name}", unordered, schema)
    elif isinstance(want, list) and isinstance(got, list | tuple):
        got = list(got)
        if len(want) != len(got):
            yield f"{at}: {len(got)} items, recorded {len(want)}"
        elif at in unordered:
            yield from _differ_unordered(want, got, at, unordered, schema)
        else:
            for index, (left, right) in enumerate(zip(want, got, strict=True)):
                yield from _differ(left, right, f"{at}[{index}]", unordered, schema)
    elif not _same(want, got):
        yield f"{at}: {got!r}, recorded {want!r}"


def _differ_unordered(want, got, at, unordered, schema):
    left = list(got)
    for item in want:
        fit = next((other for other in left if not list(_differ(item, other, at, unordered, schema))), None)
        if fit is None:
            yield f"{at}: no {item}"
        else:
            left.remove(fit)


def _no_prose(table):
    return {k: v for k, v in table.items() if not (k == "description" and isinstance(v, str))}


def _same(want, got):
    if want == "<unix_time>":
        return type(got) is int
    if want == "<unix_float>":
        return type(got) is float
    if isinstance(want, str) and "<" in want and isinstance(got, str):
        pattern = re.escape(want)
        for name, body in PLACEHOLDERS.items():
            pattern = pattern.replace(f"<{name}>", body)
        return re.fullmatch(pattern, got) is not None
    return type(want) is type(got) and want == got
