"""The fast path for plain heads."""

from aimon_local.wire.message import RequestHead


def scan_request(raw: bytes) -> RequestHead | None:
    """The head of a plain request; None: h11 decides."""
    return None
