"""A small blocking client of the Admin API, for commands that ask one thing and end.

It knows paths and JSON, no entity: an error of the gateway becomes an ``AdminError`` that carries its own words.
"""

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from aimon_local.errors import AimonError

DEFAULT_URL = "http://127.0.0.1:8001"


class AdminError(AimonError):
    """The gateway refused or could not be reached; ``status`` is 0 where there was no answer."""

    def __init__(self, message: str, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


def segment(text: str) -> str:
    """One path segment: names are data and never become path syntax."""
    return quote(text, safe="")


def _address(url: str) -> tuple[str, int]:
    """Host and port of an Admin API's address."""
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or 8001
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    if parts.scheme != "http" or not host:
        raise AdminError(f"{url!r} is not the address of an Admin API", "give it as http://127.0.0.1:8001")
    return host, port


class AdminClient:
    """Requests to one gateway; ``url`` is its Admin API, ``token`` its admin token where it has one."""

    def __init__(self, url: str = DEFAULT_URL, token: str | None = None, timeout: float = 10.0) -> None:
        self._host, self._port = _address(url)
        self._token, self._timeout = (token or "").encode("utf-8", "surrogateescape"), timeout

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer (None for 204); raises AdminError for a refusal or no answer."""
        headers: dict[str, str | bytes] = {"Accept": "application/json"}
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        with self._answered(method, path, payload, headers, self._timeout) as response:
            text = response.read()
        return self._decode(response.status, text)

    @contextmanager
    def opened(
        self,
        path: str,
        headers: Mapping[str, str | bytes],
        timeout: float,
        reached: Callable[[socket.socket], None] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """GET an answer that comes bit by bit; ``timeout``: seconds of silence after which it counts as lost.

        ``reached`` gets the connection's socket: who shuts it down ends the reading from another thread.

        Raises AdminError for a refusal, and where the connection or the answer's frame breaks.
        """
        with self._answered("GET", path, None, headers, timeout, reached) as response:
            if response.status >= 400:
                self._decode(response.status, response.read())
            yield response

    @contextmanager
    def _answered(
        self,
        method: str,
        path: str,
        payload: bytes | None,
        headers: Mapping[str, str | bytes],
        timeout: float,
        reached: Callable[[socket.socket], None] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        token = {"Kong-Admin-Token": self._token} if self._token else {}
        try:
            try:
                connection.request(method, path, payload, {**headers, **token})
            except ValueError as fault:
                raise AdminError(
                    "the admin token can't be sent: it holds a line break", "give it on one line"
                ) from fault
            if reached is not None and connection.sock is not None:
                reached(connection.sock)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as fault:
            where = f"http://{self._host}:{self._port}"
            raise AdminError(f"no gateway answers on {where}: {fault}", "start one with: aimon-local up") from fault
        finally:
            connection.close()

    @staticmethod
    def _decode(status: int, text: bytes) -> Any:
        try:
            document = json.loads(text) if text else None
        except ValueError:
            document = text.decode("utf-8", "replace")
        if status >= 400:
            message = document.get("message") if isinstance(document, dict) else None
            raise AdminError(str(message or f"the Admin API answered {status}"), status=status)
        return document

    def patient(self, seconds: float) -> "AdminClient":
        """Wait so long for each further answer."""
        self._timeout = seconds
        return self

    def get(self, path: str, **query: str | int) -> Any:
        """GET with query arguments."""
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST a JSON object."""
        return self.call("POST", path, body if body is not None else {})

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """PATCH with a JSON object."""
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> None:
        """DELETE."""
        self.call("DELETE", path)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """All rows of a collection, page by page."""
        query = "?size=1000"
        while True:
            page = self.call("GET", path + query)
            yield from page["data"]
            if not page.get("offset"):
                return
            query = "?" + urlencode({"size": 1000, "offset": page["offset"]})
