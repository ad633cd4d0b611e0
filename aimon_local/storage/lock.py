"""One gateway per data directory: a lock file that the system frees when its holder dies, even by kill -9.

The file holds the pid of the holder; an orderly end empties it, so a pid left behind tells of an unclean stop.
The file is never removed: a lock on a removed file protects nothing.
"""

import os
from pathlib import Path

from aimon_local.errors import StartError

NAME = "aimon-local.lock"

if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _seize(fd: int) -> None:
        os.lseek(fd, 1 << 20, os.SEEK_SET)  # behind the text: Windows locks bar others from reading what is locked
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _seize(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


class DirectoryLock:
    """Holds a data directory from its making until ``release``. ``unclean``: the holder before did not stop orderly."""

    __slots__ = ("_fd", "unclean")

    def __init__(self, directory: Path) -> None:
        path = directory / NAME
        self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _seize(self._fd)
        except OSError as error:
            holder = self._text()
            self._close()
            who = f" (pid {holder})" if holder else ""
            raise StartError(
                f"another gateway{who} is using the data directory {directory}",
                "stop it first, or give this one a directory of its own with --data",
            ) from error
        self.unclean = bool(self._text())
        self._write(str(os.getpid()))

    def release(self, *, orderly: bool = True) -> None:
        """Let the directory go; an orderly stop leaves no pid behind."""
        if self._fd is not None:
            if orderly:
                self._write("")
            self._close()

    def _text(self) -> str:
        assert self._fd is not None
        os.lseek(self._fd, 0, os.SEEK_SET)
        return os.read(self._fd, 64).decode("ascii", "replace").strip()

    def _write(self, text: str) -> None:
        assert self._fd is not None
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, text.encode())

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
