"""rate-limiting: so many requests per second, minute, hour, day, month and year (UTC calendar), Kong's way.

Checking and counting is one synchronous step, so a limit of N admits N under any concurrency (a real Kong counts
in a timer and lets more through). A refused request is not counted. Which windows there are, and what the clock may
do to them, is in ``policy.windows``; who shares a counter in ``policy.state``. It runs on each request: everything
that does not change is made ready when the rule is compiled.

To add a way to tell callers apart: one value of ``limit_by`` and one function in ``_IDENTIFIERS``.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aimon_local.model.schema import (
    EntityRule,
    Field,
    Shorthand,
    boolean,
    integer,
    number,
    record,
    string,
)
from aimon_local.policy.call import Call, Lines, Outcome, Refuse
from aimon_local.policy.rule import PluginType, Rule, Scope
from aimon_local.policy.state import scope_key
from aimon_local.policy.windows import UNITS, Moment, Windows

_COUNTED = "rate-limiting"  # the note of who was counted
_make = tuple.__new__  # a NamedTuple without its keyword machinery: four of them per request


class RateLimiting(Rule):
    """The limits of one plugin instance."""

    __slots__ = ("_hidden", "_identify", "_limits", "_refusal", "_scope", "_told")

    def __init__(self, config: Mapping[str, Any], scope: Scope) -> None:
        self._scope = scope_key(scope.route_id, scope.service_id)
        self._identify = _IDENTIFIERS[config.get("limit_by") or "ip"](config)
        self._limits = tuple((unit, _plain(config[name])) for unit, name in _configured(config))
        self._told = _Told([(UNITS[unit], limit) for unit, limit in self._limits])
        self._hidden = bool(config.get("hide_client_headers"))
        message = config.get("error_message") or "Too many requests"
        self._refusal = Refuse(_status(config.get("error_code")), message, "rate_limited")

    def access(self, call: Call) -> Outcome:
        """Admit and count, or refuse; either way the answer tells what is left."""
        moment = call.state.moment(call.now_ns)
        identifier = self._identify(call)
        windows = call.state.open(self._scope, identifier, moment)
        counts = windows.counts
        for unit, limit in self._limits:
            if counts[unit] >= limit:
                return self._refuse(call, windows, moment)
        for unit, _ in self._limits:
            counts[unit] += 1
        call.notes[_COUNTED] = identifier
        if not self._hidden:
            self._tell(call, windows, moment)
        return None

    def peek(self, call: Call) -> Outcome:
        """Refuse where a window is full; nothing is counted."""
        counts = call.state.open(self._scope, self._identify(call), call.state.moment(call.now_ns)).counts
        full = any(counts[unit] >= limit for unit, limit in self._limits)
        return self._refusal if full else None

    def settle(self, call: Call, complete: bool) -> None:
        """Give the ledger the windows; it reads them when the row's batch goes out, not as this call left them: calls
        end in another order than they began, and what a slow one saw must not take the place of what is newer.
        """
        identifier = call.notes.get(_COUNTED)
        windows = call.state.scopes.get(self._scope, {}).get(identifier) if isinstance(identifier, str) else None
        if windows is not None:  # None: refused here, or forgotten meanwhile: all its windows are over
            call.touched.append(windows)

    def _refuse(self, call: Call, windows: Windows, moment: Moment) -> Refuse:
        if not self._hidden:
            reset = self._tell(call, windows, moment)
            call.reply_fields.append((b"Retry-After", b"%d" % reset))
        return self._refusal

    def _tell(self, call: Call, windows: Windows, moment: Moment) -> int:
        """Say what is left of each unit, and when the one with the least rest is over; that in seconds."""
        counts, rests, least, tightest = windows.counts, [], _ENDLESS, 0
        for at, (unit, limit) in enumerate(self._limits):
            left = max(limit - counts[unit], 0)
            rests.append(left)
            if left <= least:  # of equals, the longest
                least, tightest = left, at
        reset = windows.resets(moment)[self._limits[tightest][0]]
        call.reply_lines = self._told.lines(rests, tightest, reset)
        return reset


class _Told:
    """The answer's fields as one text with gaps: limit and rest of each unit, and the tightest one by IETF's names."""

    __slots__ = ("_limits", "_names", "_text", "_whole")

    def __init__(self, limits: Sequence[tuple[str, float]]) -> None:
        self._whole = all(type(limit) is int for _, limit in limits)
        self._limits = tuple(_digits(limit) for _, limit in limits)
        titles = [name.capitalize().encode() for name, _ in limits]
        gap = b"%d" if self._whole else b"%b"
        lines = [
            line
            for title, digits in zip(titles, self._limits, strict=True)
            for line in (b"X-RateLimit-Limit-%b: %b" % (title, digits), b"X-RateLimit-Remaining-%b: " % title + gap)
        ]
        lines += [b"RateLimit-Limit: %b", b"RateLimit-Remaining: " + gap, b"RateLimit-Reset: %d"]
        self._text = b"\n".join(lines)
        self._names = frozenset(line.partition(b":")[0].lower() for line in lines)

    def lines(self, rests: list[float], tightest: int, reset: int) -> Lines:
        """The lines for what is left of each unit; ``reset``: seconds until the tightest one is over."""
        shown: Sequence[Any] = rests if self._whole else [_digits(rest) for rest in rests]
        text = self._text % (*shown, self._limits[tightest], shown[tightest], reset)
        return Lines(self._names, text.split(b"\n"))


def _digits(number: float) -> bytes:
    return b"%d" % number if type(number) is int else b"%.14g" % number


def warnings(config: Mapping[str, Any]) -> list[str]:
    """What an operator should know about a valid configuration; empty where it does exactly what it says."""
    if config.get("policy") in ("cluster", "redis"):
        return [
            f"rate-limiting: policy '{config['policy']}' is taken as 'local': one process counts exactly, "
            "and keeps its counters over a restart"
        ]
    return []


# ---- made ready when the rule is compiled

_ENDLESS = float("inf")


def _configured(config: Mapping[str, Any]) -> list[tuple[int, str]]:
    return [(unit, name) for unit, name in enumerate(UNITS) if config.get(name) is not None]


def _plain(limit: float) -> float:
    """A whole number as an int; Kong allows fractions: 2.5 admits three requests."""
    return int(limit) if limit == int(limit) else limit


def _status(code: float | None) -> int:
    """The status of a refusal; the schema, like Kong's, lets numbers through that are none."""
    return int(code) if code and 200 <= code <= 599 else 429


# ---- who is counted together; whoever lacks the wanted property is known by address

Identify = Callable[[Call], str]


def _by_ip(_: Mapping[str, Any]) -> Identify:
    return lambda call: call.client_ip


def _by_consumer(_: Mapping[str, Any]) -> Identify:
    def identify(call: Call) -> str:
        if call.consumer is not None:
            return call.consumer.id
        return call.client_ip if call.credential is None else call.credential.id

    return identify


def _by_credential(_: Mapping[str, Any]) -> Identify:
    return lambda call: call.client_ip if call.credential is None else call.credential.id


def _by_service(_: Mapping[str, Any]) -> Identify:
    def identify(call: Call) -> str:
        service = call.match.service if call.match is not None else None
        return call.client_ip if service is None else service.id

    return identify


def _by_header(config: Mapping[str, Any]) -> Identify:
    """By a field's value: hashed, since it may be long or a secret, and counters are stored."""
    wanted = (config.get("header_name") or "").lower().encode()

    def identify(call: Call) -> str:
        value = call.get(wanted)
        if value is None:
            return call.client_ip
        return hashlib.blake2b(value, digest_size=16).hexdigest()

    return identify


def _by_path(config: Mapping[str, Any]) -> Identify:
    wanted = (config.get("path") or "").encode().decode("latin-1")
    return lambda call: wanted if call.path == wanted else call.client_ip


_IDENTIFIERS: Mapping[str, Callable[[Mapping[str, Any]], Identify]] = {
    "consumer": _by_consumer,
    "credential": _by_credential,
    "ip": _by_ip,
    "service": _by_service,
    "header": _by_header,
    "path": _by_path,
}

# ---- schema


def _check_limits(config: Mapping[str, Any]) -> str | None:
    """A longer window can't have the smaller limit; ``sync_rate`` belongs to redis."""
    limits = [(name, config[name]) for _, name in _configured(config)]
    for place, (shorter, low) in enumerate(limits):
        for longer, high in limits[place + 1 :]:
            if high < low:
                return f"The limit for {longer}({high:.1f}) cannot be lower than the limit for {shorter}({low:.1f})"
    rate = config.get("sync_rate", -1)
    if rate == -1:
        return None
    if config.get("policy") != "redis":
        return "sync_rate can only be used with the redis policy"
    return "sync_rate must be greater than 0.02, or -1 to disable" if rate < 0.02 else None


def _check_header_name(name: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return None
    return f"bad header name '{name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"


def _check_host(host: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9._-]+:\d+|\[.*\]:\d+", host):
        return "must not have a port"
    return None if re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?", host) else f"invalid value: {host}"


def _renamed(name: str, kind: str, **attrs: Any) -> Shorthand:
    """An old flat name of a redis setting (Kong before 3.6): taken, shown, and no longer recommended."""
    deprecation = {
        "replaced_with": [{"path": ["redis", name]}],
        "message": f"rate-limiting: config.redis_{name} is deprecated, please use config.redis.{name} instead",
        "removal_in_version": "4.0",
    }
    old = Field(f"redis_{name}", kind, {"deprecation": deprecation, **attrs})
    return Shorthand(old.name, lambda value: {"redis": {name: value}}, old, deprecated=True, shown=("redis", name))


_REDIS = record(
    "redis",
    string("host", check=_check_host, referenceable=True),
    integer("port", default=6379, between=[0, 65535], referenceable=True),
    integer("timeout", default=2000, between=[0, 2147483646]),
    string("username", referenceable=True),
    string("password", encrypted=True, referenceable=True, len_min=0),
    integer("database", default=0),
    boolean("ssl", required=False, default=False),
    boolean("ssl_verify", required=False, default=False),
    string("server_name", required=False, referenceable=True),
    required=True,
)

_CONFIG = record(
    "config",
    *(number(name, gt=0) for name in UNITS),
    string("limit_by", default="consumer", one_of=["consumer", "credential", "ip", "service", "header", "path"]),
    string("header_name", check=_check_header_name),
    string("path", starts_with="/", match_none=[{"pattern": "//", "err": "must not have empty segments"}]),
    string("policy", default="local", len_min=0, one_of=["local", "cluster", "redis"]),
    boolean("fault_tolerant", required=True, default=True),
    _REDIS,
    boolean("hide_client_headers", required=True, default=False),
    number("error_code", default=429, gt=0),
    string("error_message", default="API rate limit exceeded"),
    number("sync_rate", required=True, default=-1),
    check=_check_limits,
    shorthands=(
        _renamed("host", "string"),
        _renamed("port", "integer"),
        _renamed("password", "string", len_min=0),
        _renamed("username", "string"),
        _renamed("ssl", "boolean"),
        _renamed("ssl_verify", "boolean"),
        _renamed("server_name", "string"),
        _renamed("timeout", "integer"),
        _renamed("database", "integer"),
    ),
    required=True,
)


def _needs(field: str, value: str, other: str) -> EntityRule:
    """Where ``field`` has ``value``, ``other`` is required."""
    body = {
        "if_field": f"config.{field}",
        "if_match": {"eq": value},
        "then_field": f"config.{other}",
        "then_match": {"required": True},
    }
    return EntityRule("conditional", body)


PLUGIN = PluginType(
    "rate-limiting",
    910,
    _CONFIG,
    RateLimiting,
    warnings=warnings,
    checks=(
        EntityRule("at_least_one_of", [f"config.{name}" for name in UNITS]),
        _needs("policy", "redis", "redis.host"),
        _needs("policy", "redis", "redis.port"),
        _needs("policy", "redis", "redis.timeout"),
        _needs("limit_by", "header", "header_name"),
        _needs("limit_by", "path", "path"),
    ),
)
