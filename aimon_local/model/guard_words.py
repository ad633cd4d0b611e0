"""The words of behaviour guards: their names, where a call keeps what they said, how a ledger row tells it.

Apart from ``model.guards``, which a start without guards need not import.
"""

from typing import Any

NAMES = ("repeat", "ping_pong", "no_progress", "growth", "velocity", "storm", "errors")
"""The guards, in the order in which they are named."""


POLLERS = ("route", "path", "model", "tool", "fingerprint")
"""By what a call can be listed as a poller's."""

WORDS = "guard.words"
"""Where a call's words for the ledger are, among its notes."""

SAID = "guard.said"
"""Where its events are: a list of ``model.event.GuardSpoke``."""


def told(words: str) -> list[dict[str, Any]]:
    """The words of a ledger row, read: which guard, what it wanted, its count and the threshold."""
    out = []
    for word in words.split():
        name, _, rest = word.lstrip("~").partition(":")
        action, _, numbers = rest.partition(":")
        count, _, threshold = numbers.partition("/")
        facts = {"count": int(count), "threshold": int(threshold)} if threshold.isdigit() and count.isdigit() else {}
        out.append({"guard": name, "action": action, **facts, "shadow": word.startswith("~")})
    return out
