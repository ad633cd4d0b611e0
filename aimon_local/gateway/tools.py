"""What rules need from outside (``policy.call.Tools``): identifiers by the system's chance, and signature checks.

PyJWT and its crypto are imported at the first asymmetric token, so a gateway without any starts without them. Keys
that were read are kept: reading a PEM costs ten times what a check does.
"""

import socket
import uuid
from random import Random, SystemRandom
from typing import Any

from aimon_local.errors import ConfigError

_REMEMBERED = 256  # keys that were read
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}  # RFC 7518 section 3.4


def random_uuid(chance: Random) -> str:
    """A UUID of version 4."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


class SystemTools:
    """The real ones. ``node_id``: this gateway's, one is made up where none is given."""

    __slots__ = ("_chance", "_keys", "hostname", "node_id")

    def __init__(self, node_id: str = "", hostname: str = "", chance: Random | None = None) -> None:
        self._chance = chance or SystemRandom()
        self.node_id = node_id or self.uuid()
        self.hostname = hostname or socket.gethostname()
        self._keys: dict[tuple[str, str], Any] = {}

    def uuid(self) -> str:
        """A random UUID."""
        return random_uuid(self._chance)

    def verify_signature(self, algorithm: str, key: str, message: bytes, signature: bytes) -> bool:
        """Check a JWS signature by PyJWT's algorithm of that name (RFC 7518 section 3) and a PEM key.

        Raises ValueError for a key that can't be read or is of another kind, ConfigError where the ``jwt`` extra is
        missing.
        """
        verifier = _algorithm(algorithm)
        known = self._keys.get((algorithm, key))
        if known is None:
            if len(self._keys) >= _REMEMBERED:
                self._keys.clear()
            known = self._keys[algorithm, key] = _public(algorithm, verifier, key)
        return bool(verifier.verify(message, known, signature))


def _algorithm(name: str) -> Any:
    from jwt.algorithms import get_default_algorithms, has_crypto

    if not has_crypto:
        raise ConfigError(
            f"{name} signatures can't be checked by this install", "install: pip install 'aimon-local[jwt]'"
        )
    return get_default_algorithms()[name]


def _public(algorithm: str, verifier: Any, pem: str) -> Any:
    """The public key of a PEM text, which may hold the private one."""
    from jwt.exceptions import InvalidKeyError

    try:
        key = verifier.prepare_key(pem)
    except (InvalidKeyError, TypeError) as fault:
        raise ValueError(str(fault)) from fault
    wanted = _CURVES.get(algorithm)
    if wanted is not None and key.curve.name != wanted:  # older PyJWTs take any
        raise ValueError(f"{algorithm} needs a key on the curve {wanted}")
    return key.public_key() if hasattr(key, "public_key") else key
