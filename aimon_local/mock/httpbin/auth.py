"""Endpoints that ask who is there: basic, hidden basic, bearer and digest (RFC 7617, 6750, 7616).

Pure functions of an Ask; the only chance is in the nonces. Digest keeps no state: what a later request must know (how
often a nonce may still be used, the last nonce) travels in cookies, as httpbin does it.

Stricter than httpbin on purpose: a digest answer must carry the user name of the path, and an answer that is incomplete
is a new challenge instead of a failure.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping

from aimon_local.mock.httpbin import cookie
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.reply import Reply, empty, jsonify

REALM = "aimon-local"
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}
BASIC_CHALLENGE = ("WWW-Authenticate", 'Basic realm="Fake Realm"')

_ITEM = re.compile(r'\s*([^\s=,"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)\s*(?:,|$)')


def _basic(value: str | None) -> tuple[str, str] | None:
    """User and password of an Authorization value."""
    scheme, _, rest = (value or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def basic(ask: Ask, user: str, password: str) -> Reply:
    """/basic-auth/USER/PASSWORD: 200 or a challenge."""
    if _basic(ask.header("Authorization")) != (user, password):
        return Reply(401, fields=(BASIC_CHALLENGE,))
    return jsonify({"authenticated": True, "user": user})


def hidden_basic(ask: Ask, user: str, password: str) -> Reply:
    """/hidden-basic-auth/USER/PASSWORD: 200 or 404, never a challenge."""
    if _basic(ask.header("Authorization")) != (user, password):
        return empty(404)
    return jsonify({"authenticated": True, "user": user})


def bearer(ask: Ask) -> Reply:
    """/bearer: any token is good."""
    value = ask.header("Authorization") or ""
    if not value.startswith("Bearer "):
        return empty(401).add(("WWW-Authenticate", "Bearer"))
    return jsonify({"authenticated": True, "token": value.removeprefix("Bearer ")})


def digest(ask: Ask, qop: str, user: str, password: str, algorithm: str = "MD5", stale_after: str = "never") -> Reply:
    """/digest-auth/QOP/USER/PASSWORD[/ALGORITHM[/STALE_AFTER]]; ``?require-cookie=1`` wants its cookies back."""
    algorithm = algorithm if algorithm in HASHES else "MD5"
    offered = (qop,) if qop in {"auth", "auth-int"} else ("auth", "auth-int")
    answer = _digest_answer(ask.header("Authorization"))
    jar = cookie.parse(ask.header("Cookie") or "")
    wants_cookie = ask.arg("require-cookie", "").lower() in {"1", "t", "true"}
    kept = (cookie.setting("stale_after", stale_after), cookie.setting("fake", "fake_value"))

    if answer is None or (wants_cookie and ask.header("Cookie") is None):
        return _challenge(ask, offered, algorithm, stale=False).add(*kept)
    if wants_cookie and jar.get("fake") != "fake_value":
        return jsonify({"errors": ["missing cookie set on challenge"]}, 403).add(kept[1])

    nonce = answer.get("nonce", "")
    used_up = jar.get("stale_after") == "0" or ("last_nonce" in jar and jar["last_nonce"] == nonce)
    if used_up or not _answers(ask, answer, user, password):
        again = (kept[0], cookie.setting("last_nonce", nonce), kept[1])
        return _challenge(ask, offered, algorithm, stale=used_up).add(*again)

    reply = jsonify({"authenticated": True, "user": user}).add(kept[1])
    return reply.add(cookie.setting("stale_after", _one_less(jar["stale_after"]))) if jar.get("stale_after") else reply


def _one_less(stale_after: str) -> str:
    try:
        return str(int(stale_after) - 1)
    except ValueError:
        return "never"


def _challenge(ask: Ask, offered: tuple[str, ...], algorithm: str, *, stale: bool) -> Reply:
    nonce, opaque = (_hash(algorithm, ask.world.random.getrandbits(128).to_bytes(16, "big")) for _ in range(2))
    value = (
        f'Digest realm="{REALM}", nonce="{nonce}", opaque="{opaque}", qop="{", ".join(offered)}", '
        f"algorithm={algorithm}, stale={stale}"
    )
    return empty(401).add(("WWW-Authenticate", value))


def _digest_answer(value: str | None) -> dict[str, str] | None:
    """The parameters of a Digest answer; None for another scheme or what can't be read."""
    scheme, _, rest = (value or "").partition(" ")
    if scheme.lower() != "digest":
        return None
    found = {m[1]: re.sub(r"\\(.)", r"\1", m[2][1:-1]) if m[2].startswith('"') else m[2] for m in _ITEM.finditer(rest)}
    return found or None


def _hash(algorithm: str, data: bytes) -> str:
    return HASHES.get(algorithm, hashlib.md5)(data).hexdigest()


def _answers(ask: Ask, answer: Mapping[str, str], user: str, password: str) -> bool:
    """Whether the answer's ``response`` is what RFC 7616, 3.4.1 asks for."""
    algorithm, qop = answer.get("algorithm", "MD5"), answer.get("qop")
    if answer.get("username") != user or qop not in {None, "auth", "auth-int"}:
        return False
    if qop is not None and not answer.keys() >= {"nonce", "nc", "cnonce"}:
        return False
    a1 = _hash(algorithm, f"{user}:{answer.get('realm', '')}:{password}".encode())
    body = f":{_hash(algorithm, ask.decoded().data)}" if qop == "auth-int" else ""
    a2 = _hash(algorithm, f"{ask.method}:{ask.target}{body}".encode())
    middle = [answer["nc"], answer["cnonce"], qop] if qop is not None else []
    expected = _hash(algorithm, ":".join([a1, answer.get("nonce", ""), *middle, a2]).encode())
    return answer.get("response") == expected
