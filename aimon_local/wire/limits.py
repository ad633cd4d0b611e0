"""How much of anything a peer may make us hold, and how long it may make us wait.

Owns the bounds of both sides of the wire, each with its reason. Must not enforce them: the connections do. A new bound
is a field here and the line that asks it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a listener's connections. Sizes in bytes, times in seconds."""

    head_bytes: int = 32 * 1024  # 431; four large cookies and a long key fit (Kong's nginx: 4 buffers of 8 KiB)
    target_bytes: int = 8 * 1024  # 414; RFC 9112 §3 wants 8000 for the request line at least
    fields: int = 100  # 431; more fields cost more time than a sane client needs
    chunk_line_bytes: int = 4 * 1024  # 400; a chunk's size with its extensions, which nobody reads
    chunk_extension_bytes: int = 64 * 1024  # 400; in sum, so that one-byte chunks with long extensions end
    trailer_bytes: int = 8 * 1024  # 400; they are dropped, so they need no more
    max_body: int | None = None  # 413; None: the user of the connection decides (Kong's default is no bound)
    connections: int = 1000  # 503; a process has 1024 descriptors by default
    head_seconds: float = 10.0  # 408; the whole head, however slowly it drips
    idle_seconds: float = 60.0  # silent close; between two requests of one connection
    body_seconds: float = 60.0  # 408; between two pieces of a body
    stalled_seconds: float = 60.0  # abort; a client that takes nothing of its answer
    linger_seconds: float = 1.0  # after a refusal: as long as its reader may go on sending ...
    linger_bytes: int = 256 * 1024  # ... and as much, before the connection is closed hard
    discard_bytes: int = 256 * 1024  # an answered request's unread body up to this is read so that keep-alive goes on
    pipeline_bytes: int = 64 * 1024  # what may wait behind the running request before reading stops
