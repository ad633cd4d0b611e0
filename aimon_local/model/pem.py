"""Whether a text is plausibly a PEM key or certificate (RFC 7468): label, base64, and one DER sequence inside.

Only the form is checked: the mathematics belong to who uses the key. No cryptography here, as this room is pure.
"""

import base64
import binascii
import re

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*\n(.*?)-----END \1-----", re.DOTALL)
CERTIFICATE = ("CERTIFICATE",)
_KEYS = ("PUBLIC KEY", "RSA PUBLIC KEY", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")


def decode(text: str, labels: tuple[str, ...]) -> bytes | None:
    """The DER inside a PEM text with one of these labels; None when it is not well-formed."""
    match = _BLOCK.search(text.replace("\r\n", "\n"))
    if match is None or match[1] not in labels:
        return None
    try:
        der = base64.b64decode("".join(match[2].split()), validate=True)
    except binascii.Error:
        return None
    return der if len(der) > 2 and der[0] == 0x30 and _length(der) == len(der) else None


def _length(der: bytes) -> int:
    """Bytes that the outermost DER element says it has, with its head (X.690 8.1.3)."""
    if der[1] < 0x80:
        return 2 + der[1]
    size = der[1] & 0x7F
    return 2 + size + int.from_bytes(der[2 : 2 + size], "big")


def check_public_key(value: str) -> str | None:
    """The key of a JWT credential: any PEM key."""
    return None if decode(value, _KEYS) else "invalid key"


def check_key(value: str) -> str | None:
    """The private key of a certificate."""
    return None if decode(value, _KEYS) else "invalid key: not a PEM encoded key"


def check_certificate(value: str) -> str | None:
    """A certificate."""
    return None if decode(value, CERTIFICATE) else "invalid certificate: not a PEM encoded certificate"
