"""Which idle connection of an origin to use, to keep, to close: the plan, without any socket.

The newest idle connection is used first, so that the others can grow old and go; there are never more than a bound.
"""

from typing import Generic, Protocol, TypeVar


class Idle(Protocol):
    """What the plan must know of a connection."""

    @property
    def usable(self) -> bool:
        """Open, with nothing received that nobody asked for."""


Connection = TypeVar("Connection", bound=Idle)


class Lane(Generic[Connection]):
    """The idle connections of one origin, oldest first."""

    __slots__ = ("_bound", "_idle")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._idle: list[Connection] = []

    def __len__(self) -> int:
        return len(self._idle)

    def take(self) -> Connection | None:
        """A connection to use; None: open one. Those found dead on the way are forgotten (they close by themselves)."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    def give(self, connection: Connection) -> Connection | None:
        """Keep a connection that is clean; returns the one to close for it, if there are too many."""
        idle = self._idle
        idle.append(connection)
        return idle.pop(0) if len(idle) > self._bound else None

    def forget(self, connection: Connection) -> None:
        """It closed while idle."""
        if connection in self._idle:
            self._idle.remove(connection)

    def clear(self) -> list[Connection]:
        """All of them, to be closed."""
        idle, self._idle = self._idle, []
        return idle
