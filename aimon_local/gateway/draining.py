"""A client left, and its tier says ``on_disconnect = "drain"``: nobody is answered, but the answer is read to its end.

``Nobody`` takes the client's place for the exchange: what is written to it is counted and dropped, so that the meter
goes on seeing every byte and the ledger gets the provider's own usage. A drain is bounded: past ``SECONDS`` or
``BYTES`` the upstream is cancelled, and what was metered until then counts, as with ``abort``.
"""

import asyncio
from collections.abc import Callable, Sequence

from aimon_local.wire.message import Header

SECONDS = 60.0
"""How long an answer is read on after its client left."""

BYTES = 8 << 20
"""How many bytes of it."""


class Nobody:
    """The ``Client`` of an exchange that drains; ``enough`` is called once, when a bound is reached."""

    ordinal = requests = local_port = 0
    peer = ("", 0)

    def __init__(self, enough: Callable[[], None]) -> None:
        self._enough = enough
        self._left = BYTES
        self._timer = asyncio.get_running_loop().call_later(SECONDS, self._end)

    def _end(self) -> None:
        self.close_after()
        self._enough()

    def respond(
        self, status: int, lines: list[bytes], body: bytes, *, reason: bytes = b"", length: int | None = None
    ) -> None:
        """The answer is complete."""
        self.close_after()

    def start(
        self, status: int, lines: list[bytes], length: int | None, data: bytes = b"", *, reason: bytes = b""
    ) -> None:
        """Its first bytes."""
        self.write(data)

    def write(self, data: bytes) -> None:
        """More of them."""
        self._left -= len(data)
        if self._left < 0:
            self._end()

    def end(self, data: bytes = b"", trailers: Sequence[Header] = ()) -> None:
        """The answer is complete."""
        self.close_after()

    def abort(self) -> None:
        """The upstream failed."""
        self.close_after()

    def close_after(self) -> None:
        """No bound holds any more."""
        self._timer.cancel()

    def informational(self, status: int, lines: list[bytes]) -> None:
        """Nobody hears it."""

    def want_body(self) -> None:
        """Nobody sends it."""

    def pause(self) -> None:
        """Nobody is held."""

    def resume(self) -> None:
        """Nobody goes on."""
