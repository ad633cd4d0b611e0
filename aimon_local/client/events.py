"""Reading the gateway's events: server-sent events of the Admin API, taken up again where a connection broke.

Parses what ``GET /events`` sends (WHATWG HTML §9.2.6, of which it uses id, event, data and comments). Printing is the
command's matter.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aimon_local.client.admin import AdminClient, AdminError

_SILENCE = 40.0  # seconds; a living stream says something each 15
_PAUSE = 1.0  # seconds before the next try to come back


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it came; ``kind`` is "" where a number came alone: everything up to it was read."""

    number: int
    kind: str
    data: Mapping[str, Any]


def follow(
    admin: AdminClient,
    kinds: str | None,
    after: int | None,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Iterator[Told]:
    """Events without an end; raises AdminError if the first connection fails or the gateway refuses.

    After a break it comes back with the last number, as often as it must; ``say`` hears of it.
    """
    connected = lost = False
    while True:
        try:
            for told in _once(admin, kinds, after):
                if lost:
                    say("connected again")
                connected, lost, after = True, False, told.number
                if told.kind:
                    yield told
            why = "the gateway ended the stream"
        except AdminError as fault:
            if fault.status or not connected:
                raise
            why = str(fault)
        if not lost:
            say(f"{why}; trying again")
        lost = True
        sleep(_PAUSE)


def _once(admin: AdminClient, kinds: str | None, after: int | None) -> Iterator[Told]:
    path = "/events" + ("" if kinds is None else f"?{urlencode({'kinds': kinds})}")
    headers = {"Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    with admin.opened(path, headers, _SILENCE) as response:
        yield from parsed(iter(response.readline, b""))


def parsed(lines: Iterable[bytes]) -> Iterator[Told]:
    """Events from lines; one that is cut before its empty line is dropped."""
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text:
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "id" in fields and line.endswith(b"\n"):
            data = json.loads(fields["data"]) if "data" in fields else {}
            yield Told(int(fields["id"]), fields.get("event", ""), data)
        fields = {}
