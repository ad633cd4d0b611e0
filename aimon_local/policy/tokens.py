"""JSON Web Tokens (RFC 7519) in compact form (RFC 7515): taken apart, and their signatures and times checked.

Strict where an ambiguity could be used: base64 that is not base64, JSON that is not JSON, an algorithm that is not
in ``ALGORITHMS`` ("none" is not) make no token. Symmetric signatures are checked here in constant time; the others
are the gateway's to check (``call.tools``), since they need a library.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from aimon_local.model.entities.credentials import ALGORITHMS
from aimon_local.policy.jsonbody import parse

_HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


class BadToken(Exception):
    """A text that is no usable token; the message is Kong's word for why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is well-formed; whether it is true is another question."""

    algorithm: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes  # what the signature covers
    signature: bytes

    def lookup(self, name: str) -> Any:
        """A claim, or the header's member of that name; None where both lack it (false counts as lacking)."""
        value = self.claims.get(name, False)
        return value if value is not False else self.header.get(name)


def read(text: bytes) -> Token:
    """The token of a text; raises BadToken."""
    head, dot, rest = text.partition(b".")
    body, second, mark = rest.partition(b".")
    if not (dot and second):
        raise BadToken("invalid JSON")
    header, claims = _json(head), _json(body)
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise BadToken("invalid alg")
    if not isinstance(claims, dict | list):
        raise BadToken("invalid claims")
    signature = decode(mark)
    if signature is None:
        raise BadToken("invalid signature")
    members = claims if isinstance(claims, dict) else {}
    return Token(header["alg"], header, members, head + b"." + body, signature)


def _json(part: bytes) -> Any:
    raw = decode(part)
    try:
        return parse(raw) if raw is not None else parse(b"")
    except ValueError as error:
        raise BadToken("invalid JSON") from error


def decode(source: bytes) -> bytes | None:
    """base64url, its padding optional; "+" and "/" pass, as in Kong. None for anything else."""
    plain = source.replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None


def is_symmetric(algorithm: str) -> bool:
    """Whether one shared secret signs and checks."""
    return algorithm in _HASHES


def symmetric_holds(token: Token, secret: bytes) -> bool:
    """Whether the shared secret made the signature (RFC 7518 section 3.2)."""
    made = hmac.digest(secret, token.signed, _HASHES[token.algorithm])
    return hmac.compare_digest(made, token.signature)


def faults_in_time(token: Token, claims: Iterable[str], now: int) -> dict[str, str]:
    """What is wrong with the claims of time to check, by name; ``now`` in Unix seconds."""
    out: dict[str, str] = {}
    for name in claims:
        value = token.claims.get(name)
        if not _is_number(value):
            out[name] = "must be a number"
        elif name == "exp" and value <= now:
            out[name] = "token expired"
        elif name == "nbf" and value > now:
            out[name] = "token not valid yet"
    return out


def lives_too_long(token: Token, most: float, now: int) -> bool:
    """Whether it is valid for more than ``most`` seconds from now, or for ever."""
    end = token.claims.get("exp")
    return not _is_number(end) or end - now > most


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
