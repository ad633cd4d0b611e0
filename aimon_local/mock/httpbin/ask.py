"""One request as the endpoints see it, and the world (clock, chance) that some of them ask.

Names of fields are title-cased and values latin-1 text, as httpbin shows them (PEP 3333). ``read`` makes an Ask from
raw parts; nothing here waits or touches a socket.
"""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random, SystemRandom
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

from aimon_local.clock import Clock, SystemClock
from aimon_local.mock.httpbin.form import Decoded, Multi, decode_body, parse_query, text_of
from aimon_local.mock.httpbin.tally import Tally

# RFC 3986 path and query characters that Werkzeug leaves as they are; "%" because the text is encoded already
_PATH_SAFE = "!$&'()*+,/:;=@%"
_QUERY_SAFE = "!$&'()*+,/:;=?@%"
_KEPT_PATH = frozenset((*range(0x21), 0x25, 0x7F, *b"/?#"))
_KEPT_QUERY = frozenset((*range(0x21), 0x25, 0x7F, *b"&=+#"))
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class World:
    """What an answer may depend on beside its request. Tests give a ManualClock and a seeded Random."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=SystemRandom)
    tally: Tally = field(default_factory=Tally)

    def uuid4(self) -> uuid.UUID:
        """A random UUID of version 4."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: path and query decoded, fields in order with repeats joined by commas."""

    method: str
    target: str  # path and query as received
    path: str  # decoded
    query: str  # raw, without "?"
    args: Multi
    headers: dict[str, str]
    body: bytes
    peer: str
    world: World

    def header(self, name: str) -> str | None:
        """A field's value by its title-cased name."""
        return self.headers.get(name)

    def arg(self, name: str, otherwise: str) -> str:
        """The first query value of a name, without regard to case."""
        for key, values in self.args.items():
            if key.lower() == name:
                return values[0]
        return otherwise

    @property
    def origin(self) -> str:
        """Who asks: the X-Forwarded-For field as it came, else the peer's address."""
        return self.headers.get("X-Forwarded-For", self.peer)

    @property
    def base(self) -> str:
        """``http://host`` as the client named it; port 80 goes without saying."""
        return "http://" + self.headers.get("Host", "").removesuffix(":80")

    @property
    def url(self) -> str:
        """The URL as httpbin reports it: readable UTF-8, and the scheme that a proxy in front says it had."""
        path = _readable(quote("/" + self.path.lstrip("/"), safe=_PATH_SAFE), _KEPT_PATH)
        query = _readable(quote(self.query, safe=_QUERY_SAFE), _KEPT_QUERY)
        parts = urlsplit(self.base)
        return urlunsplit((self._scheme(), parts.netloc.lower(), path, query, ""))

    def _scheme(self) -> str:
        named = self.headers.get("X-Forwarded-Proto") or self.headers.get("X-Forwarded-Protocol")
        if named is not None:
            return named
        return "https" if self.headers.get("X-Forwarded-Ssl") == "on" else "http"

    def decoded(self) -> Decoded:
        """The body by its media type."""
        return decode_body(self.headers.get("Content-Type", ""), self.body)


def read(
    method: str,
    raw_path: str,
    query: str | None,
    fields: Iterable[tuple[str, str]],
    body: bytes = b"",
    *,
    peer: str = "127.0.0.1",
    world: World | None = None,
) -> Ask:
    """An Ask from raw parts; ``raw_path`` and ``query`` as on the wire, one character one byte."""
    headers: dict[str, str] = {}
    for name, value in fields:
        title = name.title()
        headers[title] = f"{headers[title]},{value}" if title in headers else value
    path = unquote_to_bytes(raw_path.encode("latin-1")).decode("utf-8", "replace")
    query = (query or "").encode("latin-1").decode("utf-8", "replace")
    target = raw_path + ("?" + query if query else "")
    return Ask(method, target, path, query, parse_query(query), headers, body, peer, world or World())


def _readable(encoded: str, kept: frozenset[int]) -> str:
    """Percent-encoded text with all but the ``kept`` bytes and broken UTF-8 decoded."""
    return _ENCODED.sub(lambda run: _decoded_run(run[0], kept), encoded)


def _decoded_run(run: str, kept: frozenset[int]) -> str:
    shown: list[str] = []
    pending = bytearray()
    for at in range(0, len(run), 3):
        byte = int(run[at + 1 : at + 3], 16)
        if byte not in kept:
            pending.append(byte)
            continue
        shown.append(text_of(bytes(pending)))
        pending.clear()
        shown.append(run[at : at + 3])
    return "".join(shown) + text_of(bytes(pending))
