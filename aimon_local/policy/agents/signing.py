"""What the gateway signs: tokens for agents (JWT, HS256) and the run that travels in ``X-Aimon-Run``. Pure.

    X-Aimon-Run: RUN.DEPTH.CALL.WHO.KINDSIGNATURE

RUN is the run's name, DEPTH that of the calls that bring it, CALL the call that gave it, WHO the agent that got it,
KIND ``a`` (an answer: the caller goes on with it) or ``u`` (sent upstream: who brings it back was started by CALL). The
signature covers all of that and the owner, so that no part of it can be changed, nor used for another owner's agents.
Keys are made of the install's secret, one per purpose.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from aimon_local.policy import tokens

_SIZE = 12  # bytes of a signature: 96 bits
ISSUER = "aimon-local"


class RunMark(NamedTuple):
    """What the run header says."""

    run: str
    depth: int
    call: str
    who: str
    kind: str  # "a" or "u"


def _key(secret: bytes, purpose: bytes) -> bytes:
    return blake2b(purpose, key=secret, digest_size=32).digest()


def short(text: str) -> str:
    """A few characters by which an id is known again."""
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()


def run_text(secret: bytes, owner: str, mark: RunMark) -> str:
    """The header's value."""
    return f"{_head(mark)}{_signature(secret, owner, mark)}"


def read_run(secret: bytes, owner: str, text: str) -> RunMark | None:
    """What a header says, if the gateway signed it for this owner's agents; None: it did not."""
    parts = text.split(".")
    if len(parts) != 5 or not parts[1].isdecimal() or len(parts[1]) > 4 or parts[4][:1] not in ("a", "u"):
        return None
    mark = RunMark(parts[0], int(parts[1]), parts[2], parts[3], parts[4][0])
    good = _signature(secret, owner, mark)
    same = hmac.compare_digest(good.encode(), parts[4][1:].encode("utf-8", "surrogateescape"))
    return mark if same and text == run_text(secret, owner, mark) else None


def _head(mark: RunMark) -> str:
    return f"{mark.run}.{mark.depth}.{mark.call}.{mark.who}.{mark.kind}"


def _signature(secret: bytes, owner: str, mark: RunMark) -> str:
    said = f"{owner}|{_head(mark)}".encode("utf-8", "surrogateescape")
    return blake2b(said, key=_key(secret, b"aimon-local runs"), digest_size=_SIZE).hexdigest()


def token_text(secret: bytes, claims: Mapping[str, Any]) -> str:
    """A token (RFC 7519, HS256) of claims."""
    signed = b".".join(_part(each) for each in ({"alg": "HS256", "typ": "JWT"}, claims))
    mark = hmac.digest(_key(secret, b"aimon-local agent tokens"), signed, "sha256")
    return (signed + b"." + base64.urlsafe_b64encode(mark).rstrip(b"=")).decode()


def read_token(secret: bytes, text: bytes) -> Mapping[str, Any] | None:
    """The claims of a token that the gateway signed; None for any other text. Its times are not looked at."""
    try:
        token = tokens.read(text)
    except tokens.BadToken:
        return None
    if token.algorithm != "HS256" or token.claims.get("iss") != ISSUER:
        return None
    return token.claims if tokens.symmetric_holds(token, _key(secret, b"aimon-local agent tokens")) else None


def _part(value: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=")
