"""key-auth: who knows a key is its consumer.

For each key name the header is searched, then the query, then the body; the first place that holds something
decides. This is the hot path of a locked service: names are bytes, refusals are made once, a header is found in one
pass over the fields. To search another place: a step in ``_find`` and its removal in ``_hide``.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.checks import check_header_name
from aimon_local.model.schema import array, boolean, record, string
from aimon_local.policy import reasons
from aimon_local.policy.authentication import Authentication, challenge, recognise
from aimon_local.policy.call import NEED_BODY, Call, Outcome, Refuse
from aimon_local.policy.forms import Value, decode
from aimon_local.policy.places import body_fields, has_body, spellings, without_argument, without_field
from aimon_local.policy.rule import PluginType, Scope

_SECOND_NS = 1_000_000_000


class KeyAuth(Authentication):
    """One configured instance."""

    __slots__ = (
        "_duplicate",
        "_expired",
        "_hides",
        "_in_body",
        "_in_header",
        "_in_query",
        "_invalid",
        "_missing",
        "_names",
        "_single",
    )

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        super().__init__(config)
        self._names = tuple((name, spellings(name)) for name in config["key_names"])
        self._in_header: bool = config["key_in_header"]
        self._in_query: bool = config["key_in_query"]
        self._in_body: bool = config["key_in_body"]
        self._hides: bool = config["hide_credentials"]
        plain = self._in_header and not self._hides and len(self._names) == 1 and len(self._names[0][1]) == 1
        self._single = self._names[0][1][0] if plain else None  # the one field that holds keys
        fields = challenge("Key", realm=config.get("realm"))
        self._missing = Refuse(401, "No API key found in request", reasons.NO_KEY, fields)
        self._invalid = Refuse(401, "Unauthorized", reasons.INVALID_KEY, fields)
        self._expired = Refuse(401, "Unauthorized", reasons.KEY_EXPIRED, fields)
        self._duplicate = Refuse(401, "Duplicate API key found", reasons.DUPLICATE_KEY, fields)

    def authenticate(self, call: Call) -> Outcome:
        """Look the key up."""
        single = self._single
        if single is not None:
            found = [value for low, value, _ in call.fields if low == single]
            if len(found) == 1:
                return self._look_up(call, found[0])
        return self._search(call)

    def _look_up(self, call: Call, key: bytes) -> Outcome:
        if not key:
            return self._missing
        snapshot = call.snapshot
        credential = snapshot.key_credential(key.decode("utf-8", "surrogateescape"))
        if credential is None and key[:7].lower() == b"bearer ":
            # Clients of AI providers send keys so (RFC 6750); Kong would take the scheme's name for a part of the key.
            credential = snapshot.key_credential(key[7:].strip().decode("utf-8", "surrogateescape"))
        if credential is None:
            return self._agent_token(call, key) if snapshot.family.by_consumer else self._invalid
        if credential.expires is not None and credential.expires * _SECOND_NS <= call.now_ns:
            return self._expired
        consumer = snapshot.consumers.get(credential.consumer_id)
        if consumer is None:
            return self._invalid
        recognise(call, consumer, credential)
        return None

    def _agent_token(self, call: Call, key: bytes) -> Outcome:
        """A token that the gateway minted for an agent stands where a key does."""
        from aimon_local.policy.agents.tokens import accept  # noqa: PLC0415 (a gateway without agents needs none of it)

        found = accept(call, key[7:].strip() if key[:7].lower() == b"bearer " else key)
        if found is None or isinstance(found, Refuse):
            return found or self._invalid
        recognise(call, call.snapshot.consumers[found.consumer_id], found)
        return None

    # ---- all places, all names

    def _search(self, call: Call) -> Outcome:
        query = decode(call.upstream_query) if self._in_query and call.upstream_query else {}
        for name, fields in self._names:
            found = self._find(call, name, fields, query)
            if found is NEED_BODY:
                return NEED_BODY
            if isinstance(found, bytes):
                if self._hides and self._needs_body(call):
                    return NEED_BODY  # to take the name out of it
                if self._hides:
                    self._hide(call, name, fields)
                return self._look_up(call, found)
            if isinstance(found, list | dict):
                return self._duplicate
        return self._missing

    def _find(self, call: Call, name: str, fields: tuple[bytes, ...], query: Mapping[str, Value]) -> object:
        """What stands under a name: bytes are a key, a list or dict is too much, anything else is none."""
        if self._in_header:
            held = next((values for field in fields if (values := call.get_all(field))), None)
            if held:
                return held[0] if len(held) == 1 else held
        argument = query.get(name)
        if argument is not None:
            return argument.encode("latin-1") if isinstance(argument, str) else argument
        if not self._in_body:
            return None
        return NEED_BODY if self._needs_body(call) else _body_key(call, name)

    def _needs_body(self, call: Call) -> bool:
        return self._in_body and call.body is None and has_body(call)

    def _hide(self, call: Call, name: str, fields: tuple[bytes, ...]) -> None:
        """Take the key out of every place, found there or not: the upstream must not learn it."""
        without_argument(call, name.encode())
        for field in fields:
            call.remove(field)
        if self._in_body and call.body:
            without_field(call, name)


def _body_key(call: Call, name: str) -> object:
    fields = body_fields(call) if call.body else None
    value = fields.get(name) if isinstance(fields, dict) else None
    if not isinstance(value, str):
        return value
    # JSON text is UTF-8, a form's is latin-1 that stands for bytes.
    kind = (call.get(b"content-type") or b"").lower()
    return value.encode("utf-8", "surrogatepass") if kind.startswith(b"application/json") else value.encode("latin-1")


PLUGIN = PluginType(
    "key-auth",
    1250,
    record(
        "config",
        array("key_names", string(check=check_header_name), required=True, default=["apikey"]),
        boolean("hide_credentials", required=True, default=False),
        string("anonymous"),
        boolean("key_in_header", required=True, default=True),
        boolean("key_in_query", required=True, default=True),
        boolean("key_in_body", required=True, default=False),
        boolean("run_on_preflight", required=True, default=True),
        string("realm"),
        required=True,
    ),
    KeyAuth,
    no_consumer=True,
)
