"""The Admin API as one table: method, path, handler, what it does. Dispatch, OPTIONS, 405 and /endpoints all follow it.

To add an endpoint: one row here, and its handler. Parameters are named as Kong's ``/endpoints`` names them; rows that
come in fives (an entity's verbs) are made by ``_kind``, ``_below`` and ``_attached``. A literal segment wins over a
parameter.
"""

from dataclasses import dataclass

from aimon_local.gateway.admin import (
    agents,
    alerts,
    approvals,
    audit,
    bill,
    cache,
    check,
    clock,
    config,
    consumer_groups,
    entities,
    events,
    explain,
    feed,
    guards,
    health,
    info,
    insights,
    lab,
    lists,
    push,
    reprice,
    requests,
    schemas,
    snapshot,
    spend,
    tiers,
    usage,
    verify,
    what_if,
)
from aimon_local.gateway.admin.ask import Ask, Handler, Reply, json_reply, message, refused
from aimon_local.gateway.admin.visible import shown
from aimon_local.model import violation

GROUPS, CONSUMERS = consumer_groups.GROUPS, consumer_groups.CONSUMERS
_NO_TAG_WRITES = refused(
    violation.schema_violation({"tags": "does not support insert/upsert/update/delete operations"})
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row. ``raw``: the handler decodes the body itself."""

    method: str
    path: str
    handler: Handler
    doc: str
    raw: bool = False


Rows = tuple[Endpoint, ...]


def _kind(path: str, kind: str, word: str) -> Rows:
    """A kind of entity by itself."""
    one = f"{path}/{{{kind}}}"
    return (
        Endpoint("GET", path, entities.listing(kind), f"List {word}s."),
        Endpoint("POST", path, entities.create(kind), f"Create a {word}."),
        Endpoint("GET", one, entities.read(kind), f"Show a {word}."),
        Endpoint("PATCH", one, entities.change(kind), f"Change some fields of a {word}."),
        Endpoint("PUT", one, entities.replace(kind), f"Create a {word}, or replace it."),
        Endpoint("DELETE", one, entities.remove(kind), f"Delete a {word}."),
    )


def _below(parent: str, field: str, segment: str, kind: str) -> Rows:
    """The entities of a kind whose ``field`` points to a parent."""
    path, word = f"/{parent}/{{{parent}}}/{segment}", field.replace("_", " ")
    one = f"{path}/{{{kind}}}"
    of = (parent, field, kind)
    return (
        Endpoint("GET", path, entities.listing_below(*of), f"List the {segment} of a {word}."),
        Endpoint("POST", path, entities.create_below(*of), f"Add to the {segment} of a {word}."),
        Endpoint("GET", one, entities.read_below(*of), f"Show one of the {segment} of a {word}."),
        Endpoint("PATCH", one, entities.change_below(*of), f"Change one of the {segment} of a {word}."),
        Endpoint("PUT", one, entities.replace_below(*of), f"Create or replace one of the {segment} of a {word}."),
        Endpoint("DELETE", one, entities.remove_below(*of), f"Delete one of the {segment} of a {word}."),
    )


def _attached(segment: str, owner: str, field: str, kind: str) -> Rows:
    """The one entity that an owner points to."""
    path, of = f"/{segment}/{{{owner}}}/{field}", (owner, field, kind)
    return (
        Endpoint("GET", path, entities.read_attached(*of), f"Show the {field} of one of the {segment}."),
        Endpoint("PATCH", path, entities.change_attached(*of), f"Change the {field} of one of the {segment}."),
        Endpoint("PUT", path, entities.replace_attached(*of), f"Replace or add the {field} of one of the {segment}."),
        Endpoint("DELETE", path, entities.remove_attached(*of), f"Refused: the {field} is deleted by its own path."),
    )


def _members(parent: str, other: str) -> Rows:
    """Memberships, seen from one of their two sides."""
    path = f"/{parent}/{{{parent}}}/{other}"
    one = f"{path}/{{{other}}}"
    return (
        Endpoint("GET", path, consumer_groups.members(parent), f"List the {other} of one of the {parent}."),
        Endpoint("POST", path, consumer_groups.join(parent), f"Add to the {other} of one of the {parent}."),
        Endpoint("DELETE", path, consumer_groups.leave_all(parent), f"Take away all {other} of one of the {parent}."),
        Endpoint("GET", one, consumer_groups.member(parent), f"Show one of the {other} of one of the {parent}."),
        Endpoint("DELETE", one, consumer_groups.leave(parent), f"Take away one of the {other}."),
    )


def _consumers(ask: Ask) -> Reply:
    """GET /consumers: a list, or with ``custom_id`` the one consumer that has it."""
    custom_id = ask.query.first("custom_id")
    if custom_id is None:
        return lists.collection(ask, CONSUMERS)
    if not custom_id:
        return message(400, "custom_id must be an unempty string")
    row = ask.context.catalog.select_by(CONSUMERS, "custom_id", custom_id)
    return json_reply(200, {"data": [] if row is None else [shown(ask.context, CONSUMERS, row)], "next": None})


def _endpoints(_: Ask) -> Reply:
    """GET /endpoints: all paths, segment by segment."""
    paths = {row.path for row in TABLE}
    return json_reply(200, {"data": sorted(paths, key=lambda path: path.replace("/", "\0"))})


def _replaced(rows: Rows, method: str, path: str, handler: Handler) -> Rows:
    """The rows with another handler for one of them."""
    return tuple(
        Endpoint(row.method, row.path, handler, row.doc) if (row.method, row.path) == (method, path) else row
        for row in rows
    )


_AGENTS = (
    *(row for row in _kind("/agents", "agents", "agent") if row.method == "GET"),
    Endpoint("POST", "/agents", agents.create, "Create an agent, with its consumer."),
    Endpoint("PATCH", "/agents/{agents}", agents.change, "Change some fields of an agent."),
    Endpoint("PUT", "/agents/{agents}", agents.replace, "Replace an agent."),
    Endpoint("DELETE", "/agents/{agents}", agents.remove, "Delete an agent, with its consumer."),
)

TABLE: Rows = (
    # the node
    Endpoint("GET", "/", info.root, "Version, node, plugins, configuration."),
    Endpoint("GET", "/status", info.status, "Connections, memory, database."),
    Endpoint("GET", "/endpoints", _endpoints, "All paths of this API."),
    Endpoint("GET", "/metrics", info.metrics, "Metrics for Prometheus."),
    Endpoint("GET", "/timers", info.timers, "Timers at work."),
    Endpoint("GET", "/plugins/enabled", info.plugins_enabled, "Names of the plugins that this node has."),
    Endpoint("GET", "/debug/node/log-level", info.log_level, "The level of the process's log."),
    Endpoint("PUT", "/debug/node/log-level/{log_level}", info.set_log_level, "Set it for a while."),
    Endpoint("PUT", "/debug/cluster/log-level/{log_level}", info.set_log_level, "The same: one node is the cluster."),
    Endpoint("GET", "/usage/ai", spend.show, "Tokens and money of AI calls (our own)."),
    Endpoint("GET", "/verify", verify.show, "Does the ledger add up? (our own)."),
    Endpoint("POST", "/reprice", reprice.run, "Correct costs and charges by the prices of now (our own)."),
    Endpoint("POST", "/what-if", what_if.run, "Recorded calls under other tiers and prices (our own)."),
    Endpoint("GET", "/bill", bill.show, "What a consumer owes for a month (our own)."),
    Endpoint("GET", "/snapshot", snapshot.show, "All that a live view begins with, true at one event (our own)."),
    Endpoint("GET", "/usage", usage.show, "What a consumer used (our own)."),
    Endpoint("GET", "/usage/timeseries", usage.timeseries, "The same, hour by hour or day by day (our own)."),
    Endpoint("GET", "/requests", requests.listing, "The ledger's rows, the last first (our own)."),
    Endpoint("GET", "/lab", lab.show, "The lesson under way (our own)."),
    Endpoint("POST", "/lab", lab.start, "Begin a lesson (our own)."),
    Endpoint("DELETE", "/lab", lab.stop, "End it (our own)."),
    Endpoint("GET", "/alerts", alerts.listing, "Limits that are nearly used up (our own)."),
    Endpoint("GET", "/insights", insights.listing, "Questions that the ledger answers (our own)."),
    Endpoint("GET", "/insights/{insights}", insights.one, "One answer, with its method."),
    Endpoint("GET", "/push", push.show, "How far the ledger was pushed to its sink (our own)."),
    Endpoint("GET", "/requests/feed", feed.show, "The same in order, from a row on (our own)."),
    Endpoint("GET", "/requests/{request_id}", requests.one, "The ledger's row of one request (our own)."),
    Endpoint("GET", "/requests/{request_id}/explain", explain.show, "What became of one request, and why (our own)."),
    Endpoint("POST", "/check", check.check, "Would this call be admitted? A dry run (our own)."),
    Endpoint("GET", "/guards", guards.listing, "Whom behaviour guards have spoken to (our own)."),
    Endpoint("DELETE", "/guards/{consumers}", guards.forgive, "End a cool-down and forget the counts."),
    Endpoint("GET", "/audit", audit.listing, "Who wrote what, when, and how it was before (our own)."),
    Endpoint("GET", "/clock", clock.show, "The gateway's clock (our own)."),
    Endpoint("POST", "/clock", clock.move, "Move it: freeze, resume, reset, advance, jump, speed."),
    Endpoint("GET", "/approvals", approvals.listing, "What soft limits ask (our own)."),
    Endpoint("GET", "/approvals/{approvals}", approvals.one, "Show a question."),
    Endpoint("POST", "/approvals/{approvals}/approve", approvals.approve, "Grant head-room on its limit."),
    Endpoint("POST", "/approvals/{approvals}/deny", approvals.deny, "Say no to it."),
    Endpoint("GET", "/events", events.show, "What happens, as it happens (our own)."),
    # the configuration as a whole
    Endpoint("GET", "/config", config.show, "The configuration as one document."),
    Endpoint("POST", "/config", config.load, "Replace the configuration by a document.", raw=True),
    # schemas
    Endpoint("GET", "/schemas/{name}", schemas.entity, "The schema of a kind of entity."),
    Endpoint("GET", "/schemas/plugins/{name}", schemas.whole_plugin, "The schema of a plugin."),
    Endpoint("POST", "/schemas/plugins/validate", schemas.validate, "Judge a plugin without creating it."),
    Endpoint("POST", "/schemas/{db_entity_name}/validate", schemas.validate, "Judge an entity without creating it."),
    Endpoint("GET", "/plugins/schema/{name}", schemas.plugin_config, "The config of a plugin's schema (deprecated)."),
    # services and routes
    *_kind("/services", "services", "service"),
    *_below("services", "service", "routes", "routes"),
    *_below("services", "service", "plugins", "plugins"),
    *_attached("services", "services", "client_certificate", "certificates"),
    *_kind("/routes", "routes", "route"),
    *_below("routes", "route", "plugins", "plugins"),
    *_attached("routes", "routes", "service", "services"),
    # consumers, their credentials and groups
    *_replaced(_kind("/consumers", CONSUMERS, "consumer"), "GET", "/consumers", _consumers),
    *_below(CONSUMERS, "consumer", "plugins", "plugins"),
    *_below(CONSUMERS, "consumer", "key-auth", "keyauth_credentials"),
    *_below(CONSUMERS, "consumer", "basic-auth", "basicauth_credentials"),
    *_below(CONSUMERS, "consumer", "jwt", "jwt_secrets"),
    *_below(CONSUMERS, "consumer", "acls", "acls"),
    *_members(CONSUMERS, GROUPS),
    *_kind("/key-auths", "keyauth_credentials", "key-auth credential"),
    *_attached("key-auths", "keyauth_credentials", "consumer", CONSUMERS),
    *_kind("/basic-auths", "basicauth_credentials", "basic-auth credential"),
    *_attached("basic-auths", "basicauth_credentials", "consumer", CONSUMERS),
    *_kind("/jwts", "jwt_secrets", "jwt credential"),
    *_attached("jwts", "jwt_secrets", "consumer", CONSUMERS),
    *_kind("/acls", "acls", "acl group"),
    *_attached("acls", "acls", "consumer", CONSUMERS),
    *_replaced(
        _kind("/consumer_groups", GROUPS, "consumer group"),
        "GET",
        "/consumer_groups/{consumer_groups}",
        consumer_groups.show,
    ),
    *_members(GROUPS, CONSUMERS),
    *_below(GROUPS, "consumer_group", "plugins", "plugins"),
    # tiers, price plans, the price book (our own)
    *_replaced(
        _replaced(
            _replaced(_kind("/tiers", "tiers", "tier"), "POST", "/tiers", tiers.create),
            "PUT",
            "/tiers/{tiers}",
            tiers.replace,
        ),
        "PATCH",
        "/tiers/{tiers}",
        tiers.change,
    ),
    *_kind("/price_plans", "price_plans", "price plan"),
    *_kind("/model_prices", "model_prices", "line of the price book"),
    *_AGENTS,
    Endpoint("POST", "/agents/{agents}/tokens", agents.token, "Mint a short-lived token for an agent."),
    Endpoint("DELETE", "/agents/{agents}/tokens", agents.revoke, "Make all tokens of an agent void."),
    Endpoint("DELETE", "/agents/{agents}/tokens/{token}", agents.revoke, "Make one token of an agent void."),
    Endpoint("GET", "/agents/{agents}/runs", agents.runs, "Runs of an agent: what they used, and hold."),
    Endpoint("GET", "/armed", tiers.armed, "What limits act on how many consumers and routes."),
    # plugins
    *_kind("/plugins", "plugins", "plugin"),
    *_attached("plugins", "plugins", "consumer", CONSUMERS),
    *_attached("plugins", "plugins", "consumer_group", GROUPS),
    *_attached("plugins", "plugins", "route", "routes"),
    *_attached("plugins", "plugins", "service", "services"),
    Endpoint("DELETE", "/proxy-cache", cache.clear, "Forget all answers that proxy-cache keeps."),
    Endpoint("GET", "/proxy-cache/{cache_key}", cache.show_answer(False), "Show a kept answer."),
    Endpoint("DELETE", "/proxy-cache/{cache_key}", cache.forget_answer(False), "Forget a kept answer."),
    Endpoint("GET", "/proxy-cache/{plugin_id}/caches/{cache_key}", cache.show_answer(True), "Show one of a plugin's."),
    Endpoint("DELETE", "/proxy-cache/{plugin_id}/caches/{cache_key}", cache.forget_answer(True), "Forget it."),
    Endpoint("DELETE", "/cache", cache.clear, "Forget everything that is cached."),
    Endpoint("GET", "/cache/{key}", cache.show, "Show something that is cached."),
    Endpoint("DELETE", "/cache/{key}", cache.forget, "Forget something that is cached."),
    # upstreams
    *_kind("/upstreams", "upstreams", "upstream"),
    *_attached("upstreams", "upstreams", "client_certificate", "certificates"),
    *_below("upstreams", "upstream", "targets", "targets"),
    Endpoint("GET", "/upstreams/{upstreams}/health", health.show, "Health of an upstream's targets."),
    Endpoint(
        "GET",
        "/upstreams/{upstreams}/targets/all",
        entities.listing_below("upstreams", "upstream", "targets"),
        "List all targets of an upstream.",
    ),
    Endpoint("PUT", "/upstreams/{upstreams}/targets/{targets}/healthy", health.mark(True), "Mark a target up."),
    Endpoint("PUT", "/upstreams/{upstreams}/targets/{targets}/unhealthy", health.mark(False), "Mark a target down."),
    Endpoint(
        "PUT",
        "/upstreams/{upstreams}/targets/{targets}/{address}/healthy",
        health.mark(True),
        "Mark an address of a target up.",
    ),
    Endpoint(
        "PUT",
        "/upstreams/{upstreams}/targets/{targets}/{address}/unhealthy",
        health.mark(False),
        "Mark an address of a target down.",
    ),
    # certificates
    *_kind("/certificates", "certificates", "certificate"),
    *_below("certificates", "certificate", "snis", "snis"),
    *_below("certificates", "client_certificate", "services", "services"),
    *_below("certificates", "client_certificate", "upstreams", "upstreams"),
    *_kind("/ca_certificates", "ca_certificates", "CA certificate"),
    *_kind("/snis", "snis", "SNI"),
    *_attached("snis", "snis", "certificate", "certificates"),
    # tags
    Endpoint("GET", "/tags", lists.tags, "List who carries which tag."),
    Endpoint("POST", "/tags", lambda ask: _NO_TAG_WRITES, "Refused: tags are written with their entities."),
    Endpoint("GET", "/tags/{tags}", lists.tags, "List who carries a tag."),
    *(
        Endpoint(method, "/tags/{tags}", lambda ask: _NO_TAG_WRITES, "Refused: tags are written with their entities.")
        for method in ("PATCH", "PUT", "DELETE")
    ),
)
