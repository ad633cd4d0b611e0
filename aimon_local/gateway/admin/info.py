"""What the gateway says of itself: ``/``, ``/status``, ``/metrics``, ``/timers``, its log level. Kong's shapes."""

import sys
from collections.abc import Mapping

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, message
from aimon_local.gateway.metrics import CONTENT_TYPE
from aimon_local.model.lua import tonumber

_UNITS = {"b": (1, ""), "k": (1 << 10, "KiB"), "m": (1 << 20, "MiB"), "g": (1 << 30, "GiB")}
KONG_VERSION = "3.9.3"  # whose API this is: clients (decK) choose what they send by it; our own is in Server
LOG_LEVELS = ("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")
_LOG_SECONDS = 60  # how long a level holds, unless the request says otherwise (Kong)


def root(ask: Ask) -> Reply:
    """GET /: version, node, plugins, configuration."""
    node, catalog = ask.context.node, ask.context.catalog
    available = {kind.name: {"version": kind.version, "priority": kind.priority} for kind in node.plugins}
    return json_reply(
        200,
        {
            "tagline": "Welcome to kong",
            "version": KONG_VERSION,
            "edition": "community",
            "hostname": node.hostname,
            "node_id": node.node_id,
            "lua_version": f"none (Python {sys.version.partition(' ')[0]})",
            "pids": {"master": node.pid, "workers": [node.pid]},
            "timers": {"running": 0, "pending": 0},
            "plugins": {
                "available_on_server": available,
                "enabled_in_cluster": sorted({row["name"] for row in catalog.rows("plugins")}),
            },
            "configuration": node.configuration,
        },
    )


def status(ask: Ask) -> Reply:
    """GET /status: connections, memory, database. ``unit`` and ``scale`` set how memory is written."""
    unit = ask.query.first("unit") or "m"
    if unit.lower() not in _UNITS:
        return message(400, f"invalid unit '{unit}' (expected 'k/K', 'm/M', or 'g/G')")
    load = ask.context.load()
    memory = _amount(load.resident_bytes, unit.lower(), _scale(ask.query.first("scale")))
    return json_reply(
        200,
        {
            "server": {
                "connections_accepted": load.connections_accepted,
                "connections_active": load.connections_active,
                "connections_handled": load.connections_handled,
                "connections_reading": load.connections_reading,
                "connections_waiting": load.connections_waiting,
                "connections_writing": load.connections_writing,
                "total_requests": load.total_requests,
            },
            "memory": {
                "lua_shared_dicts": {},
                "workers_lua_vms": [{"pid": ask.context.node.pid, "http_allocated_gc": memory}],
            },
            "database": {"reachable": load.database_reachable},
        },
    )


def metrics(ask: Ask) -> Reply:
    """GET /metrics: the Prometheus exposition."""
    return Reply(200, ask.context.metrics().encode(), CONTENT_TYPE)


def timers(ask: Ask) -> Reply:
    """GET /timers: this gateway needs none for its work, so all counts are zero."""
    counts: Mapping[str, int] = dict.fromkeys(("total", "runs", "running", "pending", "waiting"), 0)
    stats = {"sys": counts, "timers": {}, "flamegraph": {"running": "", "pending": "", "elapsed_time": ""}}
    return json_reply(200, {"worker": {"id": 0, "count": 1}, "stats": stats})


def plugins_enabled(ask: Ask) -> Reply:
    """GET /plugins/enabled."""
    return json_reply(200, {"enabled_plugins": [kind.name for kind in ask.context.node.plugins]})


def log_level(ask: Ask) -> Reply:
    """GET /debug/node/log-level."""
    return message(200, f"log level: {ask.context.log_level.get()}")


def set_log_level(ask: Ask) -> Reply:
    """PUT /debug/node/log-level/{log_level}: for a minute, or for ``timeout`` seconds."""
    level = ask.params["log_level"]
    if level not in LOG_LEVELS:
        return message(400, f"unknown log level: {level}")
    given = ask.query.first("timeout")
    seconds = tonumber(given if given is not None else str(ask.body.data.get("timeout", "")))
    if seconds is not None and seconds < 0:
        return message(400, "timeout must be greater than or equal to 0")
    if level == ask.context.log_level.get():
        return message(200, f"log level is already {level}")
    ask.context.log_level.set(level, _LOG_SECONDS if seconds is None else -int(-seconds // 1))
    return message(200, "log level changed")


def _scale(text: str | None) -> int:
    number = tonumber(text) if text else None
    return min(int(number), 99) if number is not None and 0 <= number < float("inf") else 2


def _amount(count: int, unit: str, scale: int) -> int | str:
    size, name = _UNITS[unit]
    return count if unit == "b" else f"{count / size:.{scale}f} {name}"
