"""The fast path for plain heads."""

from aimon_local.wire.message import RequestHead, ResponseHead


def scan_request(raw: bytes) -> RequestHead | None:
    """The head of a plain request; None: h11 decides."""
    return None


def scan_response(raw: bytes, method: bytes) -> tuple[ResponseHead, bool] | None:
    """(head, its connection may be used again) of a plain answer; None: h11 decides."""
    return None
