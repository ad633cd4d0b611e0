"""The install's secret: 32 random bytes in a file beside the database, with which keys are hashed.

Made once, never changed: without it no stored key could be recognised again. So a database remembers the secret's
fingerprint, and a secret that is gone or of another install is a fault at the start, not a new secret.
"""

import hashlib
import os
import secrets
import stat
from pathlib import Path

from aimon_local.errors import StartError

NAME = "secret"
SIZE = 32


def load_secret(directory: Path, known: str | None) -> bytes:
    """The secret of the data directory, made now if the install is new. ``known``: the fingerprint in the database."""
    path = directory / NAME
    if not path.exists():
        if known is not None:
            raise _lost(path, "is gone")
        _make(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    secret = path.read_bytes()
    if len(secret) != SIZE:
        raise _lost(path, f"must have {SIZE} bytes, it has {len(secret)}")
    if known is not None and fingerprint(secret) != known:
        raise _lost(path, "is not the one of this database")
    return secret


def fingerprint(secret: bytes) -> str:
    """What may be known of the secret: enough to tell it from another."""
    return hashlib.sha256(b"aimon-local secret" + secret).hexdigest()[:16]


def _make(path: Path) -> None:
    """Write it whole or not at all: a torn secret would be found at the next start as one of a wrong size."""
    draft = path.with_name(f"{NAME}.new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, secrets.token_bytes(SIZE))
        os.fsync(fd)
    finally:
        os.close(fd)
    draft.replace(path)


def _lost(path: Path, what: str) -> StartError:
    return StartError(
        f"the secret {path} {what}",
        "put the right file back from a copy; without it none of the stored keys can be recognised "
        "(to start afresh instead, move the whole data directory away)",
    )
