"""cors: answers preflight requests and tells browsers which origins may read the answers (Fetch standard).

An origin in the configuration is ``*``, a plain origin (``https://a.test``), a plain host, or a regular expression:
what holds any other character than those of an origin. One plain origin is told to everybody; of several, the one
that the request comes from, or none. As in Kong, an expression without ":" is one for the host alone.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from aimon_local.model.lua import text
from aimon_local.model.regex import compile_pcre
from aimon_local.model.schema import array, boolean, number, record, string
from aimon_local.policy.call import Answer, Call, Outcome, ResponseDraft
from aimon_local.policy.edits import one_line
from aimon_local.policy.rule import PluginType, Rule, Scope

_NOTE = "cors"
_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
_PLAIN = re.compile(r"[A-Za-z0-9.:/-]+")
_URL = re.compile(r"(?:(?P<scheme>[A-Za-z0-9][A-Za-z0-9+.-]*):)?(?://(?P<authority>[^/?#]*))?")
_DEFAULT_PORTS = {("http", "80"), ("https", "443")}

_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_CREDENTIALS = "Access-Control-Allow-Credentials"

Told = tuple[str | None, bool, bool]
"""What ``Access-Control-Allow-Origin`` says (None: nothing), whether everybody is meant, whether ``Vary`` is due."""


class Cors(Rule):
    """One configured instance."""

    __slots__ = ("_config", "_credentials", "_exposed", "_methods", "_origins")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._config = config
        self._origins = _compile_origins(config.get("origins") or [])
        methods = config.get("methods")
        self._methods = ",".join(_METHODS if methods is None else methods)
        self._credentials = bool(config.get("credentials"))
        self._exposed = one_line(",".join(config.get("exposed_headers") or ()))

    def access(self, call: Call) -> Outcome:
        """Answer a preflight request, unless the upstream is to do it."""
        if call.method != "OPTIONS" or call.get(b"origin") is None:
            return None
        if call.get(b"access-control-request-method") is None:
            return None
        call.notes[_NOTE] = "preflight"
        if self._config.get("preflight_continue"):
            return None
        fields = self._allow(call) + self._permissions(call)
        return Answer(200, fields=tuple((name.encode(), value) for name, value in fields))

    def response(self, call: Call, draft: ResponseDraft) -> None:
        """Tell who may read any other answer."""
        if call.notes.get(_NOTE) == "preflight":
            return
        fields = self._allow(call)
        if not any(name == _ALLOW_ORIGIN for name, _ in fields):
            draft.remove(_ALLOW_ORIGIN.lower().encode())
        for name, value in fields:
            if name == "Vary":
                draft.add(name, value)  # beside what the upstream's answer varies by
            else:
                draft.set(name, value)
        if self._exposed:
            draft.set("Access-Control-Expose-Headers", self._exposed)

    def _allow(self, call: Call) -> list[tuple[str, bytes]]:
        """The fields that say who may read the answer."""
        origin = call.get(b"origin")
        asked = None if origin is None else origin.decode("latin-1")
        told, everybody, varies = self._origins(asked)
        credentials = self._credentials and not (everybody and asked is None)
        if credentials and everybody:  # "*" and credentials exclude each other: name the origin
            told, varies = asked, True
        fields = [("Vary", b"Origin")] if varies else []
        if told is not None:
            fields.append((_ALLOW_ORIGIN, told.encode("latin-1", "replace")))
        if credentials:
            fields.append((_CREDENTIALS, b"true"))
        return fields

    def _permissions(self, call: Call) -> list[tuple[str, bytes]]:
        """The fields of a preflight's answer that say what may be sent."""
        config = self._config
        fields: list[tuple[str, bytes]] = []
        asked = call.get(b"access-control-request-headers")
        if config.get("headers"):
            fields.append(("Access-Control-Allow-Headers", one_line(",".join(config["headers"])).encode()))
        elif asked is not None:
            fields.append(("Access-Control-Allow-Headers", asked))
        fields.append(("Access-Control-Allow-Methods", self._methods.encode()))
        if config.get("max_age") is not None:
            fields.append(("Access-Control-Max-Age", text(config["max_age"]).encode()))
        if config.get("private_network") and call.get(b"access-control-request-private-network") == b"true":
            fields.append(("Access-Control-Allow-Private-Network", b"true"))
        return fields


# ---- origins


def _compile_origins(entries: list[str]) -> Callable[[str | None], Told]:
    if not entries or entries == ["*"]:
        return lambda _: ("*", True, False)
    if len(entries) == 1 and _PLAIN.fullmatch(entries[0]):
        return lambda _: (entries[0], False, True)
    if "*" in entries:
        return lambda origin: (None, False, True) if origin is None else ("*", True, True)
    matchers = [_matcher(entry) for entry in entries]

    def choose(origin: str | None) -> Told:
        if origin is None:
            return None, False, True
        whole, host = _normalise(origin)
        return (whole if any(match(whole, host) for match in matchers) else None), False, True

    return choose


def _matcher(entry: str) -> Callable[[str, str], bool]:
    if _PLAIN.fullmatch(entry):
        wanted = _normalise(entry)[0]
        return lambda whole, _: whole == wanted
    expression = compile_pcre(entry.removeprefix("^") + ("" if entry.endswith("$") else "$"))
    if isinstance(expression, str):  # Kong's check lets a few through that fail once they are anchored
        return lambda whole, host: False
    match = expression.match
    if ":" in entry:
        return lambda whole, _: match(whole) is not None
    return lambda _, host: match(host) is not None


def _normalise(origin: str) -> tuple[str, str]:
    """An origin without its default port and path, and its host; what has no host stands for both."""
    parts = _URL.match(origin)
    authority = (parts["authority"] if parts else None) or ""
    authority = authority.rpartition("@")[2]
    host, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        host, port = authority, ""
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if parts is None or not host:
        return origin, origin
    scheme = parts["scheme"]
    whole = (f"{scheme}://" if scheme else "") + host
    return (whole if not port or (scheme, port) in _DEFAULT_PORTS else f"{whole}:{port}"), host


def _check_origin(value: str) -> str | None:
    if value == "*" or not isinstance(compile_pcre(value), str):
        return None
    return f"'{value}' is not a valid regex"


PLUGIN = PluginType(
    "cors",
    2000,
    record(
        "config",
        array("origins", string(check=_check_origin)),
        array("headers", string()),
        array("exposed_headers", string()),
        array("methods", string(one_of=_METHODS), default=_METHODS),
        number("max_age"),
        boolean("credentials", default=False, required=True),
        boolean("private_network", default=False, required=True),
        boolean("preflight_continue", default=False, required=True),
        required=True,
    ),
    Cors,
    no_consumer=True,
)
