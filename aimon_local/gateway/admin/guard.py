"""Who may reach the Admin API: this machine, and no web page from elsewhere. Stricter than Kong, on purpose.

A page in the user's browser can send requests to 127.0.0.1, and by DNS rebinding read the answers. So a Host, an Origin
or a ``Sec-Fetch-Site`` that betrays such a page is refused before anything is read or done. Pure.
"""

import hmac
import ipaddress
import re
from collections.abc import Sequence

from aimon_local.gateway.admin.context import Access

LOCAL = frozenset(("localhost", "host.docker.internal"))

# A name or an address in brackets, then at most a port: what a lenient reader takes for ours may be somebody else's.
_AUTHORITY = r"(\[[0-9a-f:.]+\]|[^\s\[\]:@/?#\\]+)(?::[0-9]{1,5})?"
_HOST = re.compile(_AUTHORITY, re.IGNORECASE)
_ORIGIN = re.compile(rf"\s*https?://{_AUTHORITY}\s*", re.IGNORECASE)


def refusal(access: Access, host: str, origins: Sequence[str], site: str | None) -> str | None:
    """Why the request is refused (403), in words; None: it may pass. ``host`` may be empty (HTTP/1.0 has none).

    ``site`` holds all values of Sec-Fetch-Site.
    """
    if host and not is_ours(access, _name(host)):
        return "this Host is not served here; call the Admin API by a loopback address, or allow the name"
    if not all(_is_our_origin(access, origin) for origin in origins):
        return "requests from this Origin are refused"
    if site is not None and "cross-site" in site.lower():
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
    found = _ORIGIN.fullmatch(origin)
    return found is not None and is_ours(access, found[1])


def _name(host: str) -> str | None:
    """The name of a Host value; None where it is none."""
    found = _HOST.fullmatch(host)
    return None if found is None else found[1]
