"""Staying attached to a gateway: one snapshot, then its events, for as long as it takes.

The events begin a little before the snapshot's number, so that a tail has something to show at once.
A gap in the numbers and a gateway that comes back both mean a new snapshot; a connection that breaks is taken up again
with growing pauses. It runs on a thread of its own and hands over what it has read in one piece, so a burst costs one
call. It prints nothing and keeps nothing.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aimon_local.client.admin import AdminClient, AdminError

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before a further try; the last one again and again
TAIL = 500  # events of before the snapshot that are asked for too, so that a tail is not empty
_SILENCE = 40.0  # seconds; a living stream says something each 15
_PIECE = 1 << 16
_MANY = _PIECE // 2  # bytes; a piece so large says that more waits
_NAP = 0.04  # seconds in which single events gather, so that hundreds a second cost tens of wake-ups

Numbered = tuple[int, str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Attached:
    """A snapshot was taken: begin anew from it."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """Events that came together, (number, kind, data) each."""

    events: Sequence[Numbered]


@dataclass(frozen=True, slots=True)
class Lost:
    """No gateway answers, or it refuses; ``seconds`` until the next try. ``refused``: it is there and said no."""

    why: str
    hint: str
    seconds: float
    tries: int
    refused: bool


Item = Attached | Told | Lost


class Stream:
    """One attachment. ``take`` is called on the stream's own thread."""

    def __init__(self, admin: AdminClient, take: Callable[[Item], None]) -> None:
        self._admin, self._take = admin, take
        self._stopping, self._anew = threading.Event(), threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begin to attach."""
        self._thread.start()

    def stop(self) -> None:
        """End it; waits until the thread is gone."""
        self._stopping.set()
        self._shut()
        self._thread.join(5)

    def again(self) -> None:
        """Take a new snapshot: the sums of this one may be out of date."""
        self._anew.set()
        self._shut()

    def _shut(self) -> None:
        held = self._socket
        if held is not None:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            self._anew.clear()
            try:
                document = self._admin.get("/snapshot")
                tries = 0
                self._take(Attached(document))
                number = document["number"]
                self._follow(min(number, max(number - TAIL, document.get("first", number + 1) - 1)))
            except AdminError as fault:
                if self._stopping.is_set() or self._anew.is_set():
                    continue
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                tries += 1
                self._take(Lost(str(fault), fault.hint, pause, tries, fault.status > 0))
                self._stopping.wait(pause)

    def _follow(self, number: int) -> None:
        """Hand events over until the connection breaks (AdminError), or a gap or a new start asks for a snapshot."""
        fields = {"Accept": "text/event-stream", "Last-Event-ID": str(number)}
        with self._admin.opened("/events", fields, _SILENCE, self._reached) as response:
            left, frames = b"", Frames() if response.chunked else None
            while not self._stopping.is_set():
                raw = response.fp.read1(_PIECE)  # all that is there, where response.read1 gives one chunk
                if not raw or (frames is not None and frames.over):
                    raise AdminError("the gateway ended the stream", "start it again with: aimon-local up")
                *whole, left = (left + (raw if frames is None else frames.data(raw))).split(b"\n\n")
                events = list(_events(whole))
                if events:
                    self._take(Told(events))
                if any(kind == "gap" for _, kind, _ in events):
                    return
                if len(raw) < _MANY:
                    self._stopping.wait(_NAP)

    def _reached(self, held: socket.socket) -> None:
        self._socket = held
        if self._stopping.is_set():
            self._shut()


class Frames:
    """Chunked bytes (RFC 9112 section 7.1) as they come, in any pieces; ``over`` behind the last chunk."""

    def __init__(self) -> None:
        self.over = False
        self._left = b""
        self._size = 0  # bytes of the chunk that are still to come, its line end with them

    def data(self, raw: bytes) -> bytes:
        """What a piece brings; raises AdminError where it is no chunk."""
        out, rest = [], self._left + raw
        while rest and not self.over:
            if self._size:
                taken, rest = rest[: self._size], rest[self._size :]
                self._size -= len(taken)
                out.append(taken[: len(taken) - max(0, 2 - self._size)] if self._size < 2 else taken)
                continue
            line, found, behind = rest.partition(b"\r\n")
            if not found:
                break
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError as fault:
                raise AdminError("the gateway's stream is broken") from fault
            rest, self.over, self._size = behind, size == 0, size + 2 if size else 0
        self._left = rest
        return b"".join(out)


def _events(blocks: Sequence[bytes]) -> Iterator[Numbered]:
    """Server-sent events of blocks; a block without data is a heartbeat."""
    for block in blocks:
        fields = dict(line.partition(b":")[::2] for line in block.split(b"\n"))
        if b"data" in fields:
            kind = fields.get(b"event", b"").decode("utf-8", "replace").strip()
            yield int(fields[b"id"]), kind, json.loads(fields[b"data"])
