"""The count of what was served, by path and status: the ground truth for tests of what passes in front of it."""

from collections import Counter
from typing import Any

PATHS_MAX = 10_000  # further paths are counted together, so that a scan can't fill the memory
OTHERS = "(others)"


class Tally:
    """Requests by path (without query) and status."""

    __slots__ = ("_by_path", "total")

    def __init__(self) -> None:
        self.total = 0
        self._by_path: dict[str, Counter[int]] = {}

    def count(self, path: str, status: int) -> None:
        """One more request was answered."""
        self.total += 1
        known = path in self._by_path or len(self._by_path) < PATHS_MAX
        self._by_path.setdefault(path if known else OTHERS, Counter())[status] += 1

    def clear(self) -> None:
        """Start anew."""
        self.total = 0
        self._by_path.clear()

    def report(self) -> dict[str, Any]:
        """``{"requests": N, "paths": {PATH: {STATUS: N}}}``."""
        paths = {path: {str(status): n for status, n in counts.items()} for path, counts in self._by_path.items()}
        return {"requests": self.total, "paths": paths}
