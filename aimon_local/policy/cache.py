"""The answers that proxy-cache keeps: a table of bounded size, forgotten by age of use.

Expiry is lazy: an entry that is over is gone when somebody asks for it, and nothing else resets anything. No I/O; the
caller passes ``now_ns``, Unix nanoseconds.
"""

from collections import OrderedDict
from dataclasses import dataclass

BYTES_MAX = 32 * 1024 * 1024  # all entries together; Kong's dictionary has 128 MB, a laptop's lab needs less
ENTRY_MAX = 4 * 1024 * 1024  # one entry: a larger answer is passed on and not kept
OVERHEAD = 512  # what an entry costs beside its bytes


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A stored answer."""

    status: int
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    at: int  # Unix seconds, when it was stored
    ttl: int  # seconds for which it is fresh
    forget_ns: int  # Unix nanoseconds from which it is no longer kept

    @property
    def size(self) -> int:
        """Bytes that it is counted with."""
        return OVERHEAD + len(self.body) + sum(len(name) + len(value) for name, value in self.fields)


class AnswerCache:
    """Answers by key; the one that was not asked for the longest goes first."""

    __slots__ = ("_entries", "_size", "bytes_max", "entry_max")

    def __init__(self, bytes_max: int = BYTES_MAX, entry_max: int = ENTRY_MAX) -> None:
        self.bytes_max = bytes_max
        self.entry_max = entry_max
        self._entries: OrderedDict[str, CachedAnswer] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def get(self, key: str, now_ns: int) -> CachedAnswer | None:
        """The answer under a key, unless it is over."""
        found = self._entries.get(key)
        if found is None:
            return None
        if now_ns >= found.forget_ns:
            self.remove(key)
            return None
        self._entries.move_to_end(key)
        return found

    def put(self, key: str, answer: CachedAnswer) -> bool:
        """Keep an answer; False where it is too large to be kept."""
        self.remove(key)
        if answer.size > min(self.entry_max, self.bytes_max):
            return False
        while self._size + answer.size > self.bytes_max:
            self.remove(next(iter(self._entries)))
        self._entries[key] = answer
        self._size += answer.size
        return True

    def remove(self, key: str) -> bool:
        """Forget a key; False where it was not there."""
        gone = self._entries.pop(key, None)
        if gone is None:
            return False
        self._size -= gone.size
        return True

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._size = 0
