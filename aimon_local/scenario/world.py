"""Where a script is played: addresses of a gateway and its upstream, and how connections are opened.

Over sockets and in virtual time alike: nothing here, or in what is played through it, knows which it is.
"""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.client.admin import AdminError
from aimon_local.errors import ConfigError
from aimon_local.scenario.http1 import Address, Connect, Pool, open_socket, request_bytes


@dataclass(frozen=True, slots=True)
class World:
    """``mock``: the built-in upstream, None where it is not known. ``own``: the gateway was started for this run."""

    proxy: Address
    admin: Address
    mock: Address | None = None
    token: str | None = None
    own: bool = False
    connect: Connect = open_socket


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() in ("localhost", "host.docker.internal")


def near(address: Address, what: str, allow_remote: bool) -> None:
    """ConfigError where an address is not on this machine and that was not allowed."""
    if not allow_remote and not is_loopback(address[0]):
        raise ConfigError(
            f"{what} {address[0]}:{address[1]} is not on this machine",
            "--allow-remote sends traffic there all the same",
        )


class Door:
    """JSON over HTTP to one address: the Admin API, or the mock's control."""

    def __init__(self, pool: Pool, token: str | None = None) -> None:
        self._pool = pool
        host, port = pool.address
        self._host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._token = (("Kong-Admin-Token", token),) if token else ()

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer, None for an empty one; AdminError: refused, or no answer."""
        fields = (("Accept", "application/json"), *self._token)
        payload = b""
        if body is not None:
            payload = json.dumps(body).encode()
            fields = (*fields, ("Content-Type", "application/json"))
        answer = await self._pool.send(request_bytes(method, path, self._host, fields, payload), method == "HEAD")
        if answer.error:
            raise AdminError(f"{method} {path} on {self._host}: {answer.error}", "is the gateway running?")
        document = json.loads(answer.body) if answer.body else None
        if answer.status >= 400:
            words = document.get("message") or document.get("error") if isinstance(document, dict) else None
            raise AdminError(f"{method} {path}: {answer.status} {words or ''}".rstrip(), status=answer.status)
        return document
