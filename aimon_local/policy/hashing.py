"""Consistent hashing: what of a request is hashed, and which target a hash means.

Targets are ranked for each key by weighted rendezvous hashing: every target draws a number from the key and its own
name, the best draw wins. A target that comes or goes moves only its own keys, and the runner-up is the one to retry on;
no ring is needed, so Kong's ``slots`` have no meaning here.

To add a thing to hash on: a reader in ``_READERS`` by Kong's name of it.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qs

from aimon_local.policy.call import Call
from aimon_local.policy.nouns import Key, Target, Upstream

_SPACE = 1 << 64


def hash_key(upstream: Upstream, call: Call) -> str | None:
    """What the request is hashed on, by ``hash_on`` and then ``hash_fallback``; None: it has nothing of the kind.

    A cookie that is missing is made, and set by the answer.
    """
    if upstream.algorithm != "consistent-hashing":
        return None
    for key in (upstream.hash_on, upstream.hash_fallback):
        if key.kind == "cookie":
            return _cookie(key.name, call) or _new_cookie(key.name, upstream, call)
        text = _READERS[key.kind](key, call)
        if text:
            return text
    return None


def ranked(key: str, targets: Iterable[Target]) -> list[Target]:
    """The targets, the one that the key means first; all have some weight."""
    seed = key.encode("utf-8", "surrogateescape")
    return sorted(targets, key=lambda target: _draw(seed, target), reverse=True)


def _draw(seed: bytes, target: Target) -> float:
    """Weighted rendezvous: with u uniform in (0, 1), -weight / ln u is greatest in proportion to the weights."""
    digest = hashlib.blake2b(target.name.encode("utf-8"), key=hashlib.sha256(seed).digest(), digest_size=8).digest()
    uniform = (int.from_bytes(digest, "big") + 0.5) / _SPACE
    return -target.weight / math.log(uniform) if uniform < 1 else math.inf


def _consumer(_: Key, call: Call) -> str | None:
    if call.consumer is not None:
        return call.consumer.id
    return call.credential.id if call.credential is not None else None


def _header(key: Key, call: Call) -> str | None:
    return b"".join(call.get_all(key.name.lower().encode("latin-1"))).decode("latin-1")


def _query_arg(key: Key, call: Call) -> str | None:
    values = parse_qs(call.query or "", keep_blank_values=True).get(key.name, ())
    return "".join(sorted(values))


def _uri_capture(key: Key, call: Call) -> str | None:
    if call.match is None:
        return None
    groups = call.match.groups
    if key.name.isdigit():
        return groups[int(key.name)] if int(key.name) < len(groups) else None
    return call.match.captures.get(key.name)


def _cookie(name: str, call: Call) -> str | None:
    wanted = name.encode("utf-8", "surrogateescape")
    for line in call.get_all(b"cookie"):
        for pair in line.split(b";"):
            key, _, value = pair.strip().partition(b"=")
            if key == wanted:
                return value.decode("latin-1")
    return None


def _new_cookie(name: str, upstream: Upstream, call: Call) -> str:
    """A cookie of the client's own, set once per request however often it is tried."""
    known = call.notes.get(_NOTE)
    if isinstance(known, str):
        return known
    value = call.tools.uuid()
    call.notes[_NOTE] = value
    line = f"{name}={value}; Path={upstream.cookie_path}"
    call.reply_fields.append((b"Set-Cookie", line.encode("utf-8", "surrogateescape")))
    return value


_NOTE = "balancer.cookie"

_READERS: Mapping[str, Callable[[Key, Call], str | None]] = {
    "none": lambda key, call: None,
    "consumer": _consumer,
    "ip": lambda key, call: call.client_ip,
    "header": _header,
    "path": lambda key, call: call.raw_path,
    "query_arg": _query_arg,
    "uri_capture": _uri_capture,
}
