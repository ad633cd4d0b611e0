"""The demo of a first start: something to call and two plans to compare, under names that the lab does not use.

``ENTITIES`` is the whole of it: (kind, entity) as the Admin API would take them, in order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.model.catalog import Catalog
from aimon_local.model.fill import Ids
from aimon_local.model.rows import Change
from aimon_local.model.violation import Violation

SERVICE = "demo-service"
CONSUMERS = ("demo-free", "demo-pro")
_TAGS = ["demo"]


def entities(upstream_port: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a first start makes."""
    url = f"http://127.0.0.1:{upstream_port}"
    yield "services", {"name": SERVICE, "url": url, "tags": _TAGS}
    yield "routes", {"name": "demo-route", "paths": ["/demo"], "service": {"name": SERVICE}, "tags": _TAGS}
    keys = {"key_names": ["apikey", "x-api-key", "authorization"]}  # curl's, Anthropic's and OpenAI's clients
    yield "plugins", {"name": "key-auth", "service": {"name": SERVICE}, "config": keys, "tags": _TAGS}
    for tier, limits in (("free", {"minute": 5, "day": 100}), ("pro", {"minute": 100, "day": 5000})):
        yield "consumer_groups", {"name": tier, "tags": _TAGS}
        plugin = {"name": "rate-limiting", "consumer_group": {"name": tier}, "config": limits, "tags": _TAGS}
        yield "plugins", plugin
        yield "consumers", {"username": f"demo-{tier}", "tags": _TAGS}
        yield (
            "consumer_group_consumers",
            {"consumer": {"username": f"demo-{tier}"}, "consumer_group": {"name": tier}},
        )
        yield "keyauth_credentials", {"consumer": {"username": f"demo-{tier}"}, "tags": _TAGS}


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a first start made: the changes to store, and the keys, by consumer, to show this once."""

    changes: tuple[Change, ...]
    keys: Mapping[str, str]


def plan(catalog: Catalog, upstream_port: int, now: int, ids: Ids) -> Seeded:
    """The demo for an empty catalog, which is not changed: it grows in a copy, since each part names earlier ones."""
    copy = Catalog(catalog.schemas, catalog.plugin_schemas, catalog.seals)
    changes: list[Change] = []
    keys: dict[str, str] = {}
    for kind, entity in entities(upstream_port):
        planned = copy.insert(kind, entity, now, ids)
        if isinstance(planned, Violation):
            raise RuntimeError(f"the demo's {kind} is not valid: {planned.body}")
        copy.apply(planned.changes)
        changes += planned.changes
        if kind == "keyauth_credentials" and planned.entity is not None:
            keys[entity["consumer"]["username"]] = planned.entity["key"]
    return Seeded(tuple(changes), keys)


def moved(catalog: Catalog, upstream_port: int, now: int, ids: Ids) -> tuple[Change, ...]:
    """The change that leads the demo to where the built-in upstream listens now; none where it is there already."""
    service = catalog.select_by("services", "name", SERVICE)
    if service is None or "demo" not in (service["tags"] or ()) or service["port"] == upstream_port:
        return ()
    planned = catalog.update("services", service["id"], {"port": upstream_port}, now, ids)
    return () if isinstance(planned, Violation) else planned.changes
