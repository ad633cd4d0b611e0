"""correlation-id: an identifier per request, for the upstream and, if wished, for the client.

A client's own identifier is kept. To add a generator: one line in ``_GENERATORS`` and its name in the schema.
"""

import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from aimon_local.model.schema import boolean, record, string
from aimon_local.policy.call import Call, Outcome, ResponseDraft
from aimon_local.policy.rule import PluginType, Rule, Scope

_NOTE = "correlation-id"
_DEFAULT_NAME = "Kong-Request-ID"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.1: a field name

Generator = Callable[[Call], str]


class CorrelationId(Rule):
    """One configured instance."""

    __slots__ = ("_echo", "_generate", "_name", "_wanted")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        name = config.get("header_name") or _DEFAULT_NAME
        # Kong's schema takes any text as the name; what is none can't be sent, and the rule stays out of the way.
        self._name = name if _TOKEN.fullmatch(name) else None
        self._wanted = name.lower().encode()
        self._generate = _GENERATORS[config["generator"]]()
        self._echo = bool(config.get("echo_downstream"))

    def access(self, call: Call) -> Outcome:
        """Keep the client's identifier, or give one."""
        if self._name is None:
            return None
        given = call.get(self._wanted)
        if not given:
            given = self._generate(call).encode()
            call.set(self._name, given)
        if self._echo:
            call.notes[_NOTE] = given
        return None

    def response(self, call: Call, draft: ResponseDraft) -> None:
        """Tell it to the client, on answers of any kind."""
        given = call.notes.get(_NOTE)
        if self._echo and self._name is not None and isinstance(given, bytes):
            draft.set(self._name, given)


def _uuid() -> Generator:
    return lambda call: call.tools.uuid()


def _uuid_counter() -> Generator:
    """One UUID per compiled rule, then a number from 1: short to compare, unique over restarts."""
    ordinals, prefix = count(1), [""]

    def generate(call: Call) -> str:
        prefix[0] = prefix[0] or call.tools.uuid()
        return f"{prefix[0]}#{next(ordinals)}"

    return generate


def _tracker() -> Generator:
    """Server address and port, process, connection, request on it, Unix time in milliseconds."""

    def generate(call: Call) -> str:
        at = f"{call.now_ns // 1_000_000_000}.{call.now_ns // 1_000_000 % 1000:03d}"
        place = f"{call.server_ip}-{call.server_port}-{call.process_id}"
        return f"{place}-{call.connection}-{call.connection_requests}-{at}"

    return generate


_GENERATORS: Mapping[str, Callable[[], Generator]] = {
    "uuid": _uuid,
    "uuid#counter": _uuid_counter,
    "tracker": _tracker,
}

PLUGIN = PluginType(
    "correlation-id",
    100001,
    record(
        "config",
        string("header_name", default=_DEFAULT_NAME),
        string("generator", default="uuid#counter", required=True, one_of=["uuid", "uuid#counter", "tracker"]),
        boolean("echo_downstream", default=False, required=True),
        required=True,
    ),
    CorrelationId,
)
