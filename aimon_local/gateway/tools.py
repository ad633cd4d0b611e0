"""What rules need from outside (``policy.call.Tools``): identifiers by the system's chance, and signature checks.

PyJWT and its crypto are imported at the first asymmetric token, so a gateway without any starts without them.
"""

import uuid

from aimon_local.errors import ConfigError


class SystemTools:
    """The real ones."""

    __slots__ = ()

    def uuid(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())

    def verify_signature(self, algorithm: str, key: str, message: bytes, signature: bytes) -> bool:
        """Check a JWS signature by PyJWT's algorithm of that name (RFC 7518 §3) and a PEM public key.

        Raises ValueError for a key that can't be read, ConfigError where the ``jwt`` extra is missing.
        """
        from jwt.algorithms import get_default_algorithms, has_crypto
        from jwt.exceptions import InvalidKeyError

        if not has_crypto:
            raise ConfigError(
                f"{algorithm} signatures need the jwt extra", "install it: pip install 'aimon-local[jwt]'"
            )
        verifier = get_default_algorithms()[algorithm]
        try:
            return bool(verifier.verify(message, verifier.prepare_key(key), signature))
        except InvalidKeyError as fault:
            raise ValueError(str(fault)) from fault
