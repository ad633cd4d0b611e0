"""Health of an upstream's targets: what the balancer thinks, and the operator's word against it. Kong's shapes."""

from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin import lists
from aimon_local.gateway.admin.ask import NO_CONTENT, NOT_FOUND, Ask, Handler, Reply, json_reply, refused
from aimon_local.gateway.admin.entities import find
from aimon_local.model.address import Address, parse
from aimon_local.model.violation import Violation

Row = Mapping[str, Any]


def show(ask: Ask) -> Reply:
    """GET /upstreams/{u}/health: each target with its health; ``balancer_health=1``: that of the whole."""
    upstream = find(ask, "upstreams", ask.params["upstreams"])
    if upstream is None or isinstance(upstream, Violation):
        return refused(upstream) if upstream else NOT_FOUND
    node = {"node_id": ask.context.node.node_id}
    if ask.query.first("balancer_health") == "1":
        return json_reply(200, {"data": _whole(ask, upstream), "next": None, **node})
    page = lists.rows(ask, "targets", ("upstream", upstream["id"]))
    if isinstance(page, Violation):
        return refused(page)
    return lists.answer(ask, [_target(ask, upstream, row) for row in page.rows], page.next_offset, extra=node)


def mark(healthy: bool) -> Handler:
    """PUT …/healthy and …/unhealthy of a target, or of one of its addresses."""

    def handler(ask: Ask) -> Reply:
        upstream = find(ask, "upstreams", ask.params["upstreams"])
        if upstream is None or isinstance(upstream, Violation):
            return refused(upstream) if upstream else NOT_FOUND
        target = find(ask, "targets", ask.params["targets"], ("upstream", upstream["id"]))
        if target is None or isinstance(target, Violation):
            return refused(target) if target else NOT_FOUND
        if not _has_address(target, ask.params.get("address")):
            return NOT_FOUND
        ask.context.health.mark(upstream["id"], target["id"], healthy)
        return NO_CONTENT

    return handler


def _has_address(target: Row, address: str | None) -> bool:
    """Whether the address is the target's; one given by name may have any, on its port."""
    if address is None:
        return True
    own, asked = parse(target["target"]), parse(address)
    if not isinstance(own, Address) or not isinstance(asked, Address) or asked.port not in (None, own.port):
        return False
    return own.kind == "name" or own.host == asked.host


def _target(ask: Ask, upstream: Row, row: Row) -> dict[str, Any]:
    word = ask.context.health.target(upstream["id"], row["id"])
    host, _, port = row["target"].rpartition(":")
    weights = _weights(row["weight"], row["weight"] if word != "UNHEALTHY" else 0)
    address = {"ip": host, "port": int(port), "weight": row["weight"], "health": word}
    data = {"host": host, "port": int(port), "nodeWeight": row["weight"], "dns": "ttl=0", "weight": weights}
    return {**row, "health": word, "data": {**data, "addresses": [address]}}


def _whole(ask: Ask, upstream: Row) -> dict[str, Any]:
    context = ask.context
    targets = context.catalog.referring("targets", "upstream", upstream["id"], context.now())
    parts = [_target(ask, upstream, row)["data"] for row in targets]
    total = sum(part["weight"]["total"] for part in parts)
    available = sum(part["weight"]["available"] for part in parts)
    details = {"hosts": parts, "weight": _weights(total, available)}
    return {"id": upstream["id"], "health": context.health.upstream(upstream["id"]), "details": details}


def _weights(total: int, available: int) -> dict[str, int]:
    return {"total": total, "available": available, "unavailable": total - available}
