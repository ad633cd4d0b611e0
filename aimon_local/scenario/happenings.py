"""The kinds of events that a script can let happen: their keys. What each does is in ``act``.

To add one: a line here, and its action there under the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """``needs``: keys that it can't do without; ``takes``: all of its keys."""

    doc: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "phase": Kind("nothing happens but that a phase begins"),
    "clock.jump": Kind('set the clock: to = "2026-12-31T23:59:58Z"', ("to",), ("to",)),
    "clock.advance": Kind('move the clock on: by = "1d"', ("by",), ("by",)),
    "clock.freeze": Kind("stop the clock"),
    "clock.resume": Kind("let the clock go on"),
    "clock.speed": Kind("how fast it goes: speed = 60", ("speed",), ("speed",)),
    "key.revoke": Kind("revoke an actor's keys: actor = NAME", ("actor",), ("actor",)),
    "key.rotate": Kind("give an actor a new key: actor = NAME; grace = how long the old one works", ("actor",),
                       ("actor", "grace")),
    "mock.set": Kind("set knobs of the mock: knobs = { error_status = 503 }", ("knobs",), ("knobs",)),
    "mock.reset": Kind("the mock's knobs as they were at the start"),
    "tier.set": Kind("change a tier of the script: tier = NAME, fields = { concurrency = 2 }", ("tier", "fields"),
                     ("tier", "fields")),
    "admin": Kind("a call of the Admin API: method, path, body; ${prefix} is that of the run", ("path",),
                  ("method", "path", "body")),
}  # fmt: skip
"""Event → its keys."""
