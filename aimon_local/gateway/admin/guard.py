"""Who may reach the Admin API: this machine, and no web page from elsewhere. Stricter than Kong, on purpose.

A page in the user's browser can send requests to 127.0.0.1, and by DNS rebinding read the answers. So a Host, an Origin
or a ``Sec-Fetch-Site`` that betrays such a page is refused before anything is read or done. Pure.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from aimon_local.gateway.admin.context import Access

LOCAL = frozenset(("localhost", "host.docker.internal"))


def refusal(access: Access, host: str, origins: Sequence[str], site: str | None) -> str | None:
    """Why the request is refused (403), in words; None: it may pass. ``host`` may be empty (HTTP/1.0 has none)."""
    if host and not is_ours(access, _name(host)):
        return "this Host is not served here; call the Admin API by a loopback address, or allow the name"
    if not all(_is_our_origin(access, origin) for origin in origins):
        return "requests from this Origin are refused"
    if site is not None and site.strip().lower() == "cross-site":
        return "cross-site requests are refused"
    return None


def is_ours(access: Access, name: str | None) -> bool:
    """Whether a host name (no port) is this gateway's own."""
    if name is None:
        return False
    bare = name.lower().removesuffix(".")
    if bare in LOCAL or bare in access.hosts:
        return True
    try:
        return ipaddress.ip_address(bare.strip("[]")).is_loopback
    except ValueError:
        return False


def has_token(access: Access, offered: str | None, authorization: str | None) -> bool:
    """Whether the request carries the admin token, in ``Kong-Admin-Token`` or as Bearer. No token set: always."""
    if access.token is None:
        return True
    scheme, _, credential = (authorization or "").partition(" ")
    bearer = credential.strip() if scheme.lower() == "bearer" else None
    wanted = access.token.encode("utf-8", "surrogateescape")
    tried = [text.encode("latin-1", "replace") for text in (offered, bearer) if text]
    return any(hmac.compare_digest(wanted, text) for text in tried)


def _is_our_origin(access: Access, origin: str) -> bool:
    try:
        parts = urlsplit(origin.strip())
        return parts.scheme in ("http", "https") and is_ours(access, parts.hostname)
    except ValueError:
        return False


def _name(host: str) -> str | None:
    """The name of a Host value; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018  reading it raises where it is no number
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None
