"""How API keys are kept: as keyed hashes, or in clear as Kong keeps them.

The hash is BLAKE2b with the install's secret (RFC 7693, keyed mode): fast enough for every request, useless to whoever
has the database without the secret. The first characters of a key stay readable, so that its owner knows it again.
"""

import hashlib
from collections.abc import Callable

_SHOWN = 4  # characters of a key that stay readable, but never more than a quarter of it: a short key has none to spare
_MARK = "hashed:"

Digest = Callable[[str], str]


def hashed(secret: bytes) -> Digest:
    """Keys as ``hashed:<first characters>:<hash>``; the same key always gives the same text."""
    keyed = hashlib.blake2b(key=secret, digest_size=32)  # the secret is taken in once

    def digest(key: str) -> str:
        state = keyed.copy()
        state.update(key.encode("utf-8", "surrogateescape"))
        return f"{_MARK}{key[: min(_SHOWN, len(key) // 4)]}:{state.hexdigest()}"

    return digest


def fingerprint_key(secret: bytes) -> bytes:
    """The key of what requests are known again by."""
    return hashlib.blake2b(b"aimon-local fingerprints", key=secret, digest_size=32).digest()


def plaintext(key: str) -> str:
    """Keys as they are."""
    return key


def masked(stored: str) -> str:
    """A stored key as a reader may see it."""
    if not stored.startswith(_MARK):
        return stored
    shown = stored[len(_MARK) :].rpartition(":")[0]
    return f"{shown}{'*' * 28}"
