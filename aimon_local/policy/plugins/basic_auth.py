"""basic-auth: user name and password (RFC 7617), from Proxy-Authorization, else from Authorization."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aimon_local.model.schema import boolean, record, string
from aimon_local.model.special import password_hash
from aimon_local.policy import reasons
from aimon_local.policy.authentication import Authentication, challenge, recognise
from aimon_local.policy.call import Call, Outcome, Refuse
from aimon_local.policy.rule import PluginType, Scope

if TYPE_CHECKING:
    from aimon_local.policy.nouns import Credential

_PROXY, _OWN = b"proxy-authorization", b"authorization"
_SCHEME = re.compile(rb"[Bb]asic\s*(.+)")  # anywhere in the value, as Kong looks for it
_NOBODY = "00000000-0000-0000-0000-000000000000"


class BasicAuth(Authentication):
    """One configured instance."""

    __slots__ = ("_hides", "_invalid", "_missing")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        super().__init__(config)
        self._hides: bool = config["hide_credentials"]
        fields = challenge("Basic", realm=config["realm"])
        self._missing = Refuse(401, "Unauthorized", reasons.NO_LOGIN, fields)
        self._invalid = Refuse(401, "Unauthorized", reasons.INVALID_LOGIN, fields)

    def authenticate(self, call: Call) -> Outcome:
        """Look the user up and compare the password's hash in constant time."""
        if call.get(_OWN) is None and call.get(_PROXY) is None:
            return self._missing
        credential, password = self._read(call, _PROXY)
        if credential is None:
            credential, password = self._read(call, _OWN)
        # A wrong user costs as much time as a wrong password.
        owner, stored = (_NOBODY, "") if credential is None else (credential.consumer_id, credential.fields["password"])
        given = password_hash(password.decode("utf-8", "surrogateescape"), owner)
        matches = hmac.compare_digest(given.encode(), stored.encode())
        consumer = call.snapshot.consumers.get(owner)
        if not matches or credential is None or consumer is None:
            return self._invalid
        recognise(call, consumer, credential)
        return None

    def _read(self, call: Call, name: bytes) -> "tuple[Credential | None, bytes]":
        value = call.get(name)
        if self._hides:
            call.remove(name)
        login = None if value is None else _login(value)
        if login is None:
            return None, b""
        return call.snapshot.basic_credentials(login[0].decode("utf-8", "surrogateescape")), login[1]


def _login(value: bytes) -> tuple[bytes, bytes] | None:
    """User name and password of a field's value; the password may hold colons, the name can't."""
    found = _SCHEME.search(value)
    if found is None:
        return None
    encoded = found[1].strip()
    try:
        plain = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        return None
    name, colon, password = plain.lstrip(b":").partition(b":")  # Kong's pattern: a name begins where no colon is
    return (name, password.partition(b"\n")[0]) if colon else None


PLUGIN = PluginType(
    "basic-auth",
    1100,
    record(
        "config",
        string("anonymous"),
        boolean("hide_credentials", required=True, default=False),
        string("realm", required=True, default="service"),
        required=True,
    ),
    BasicAuth,
    no_consumer=True,
)
