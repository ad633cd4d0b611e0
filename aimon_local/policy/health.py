"""Whether a target takes part: what its answers and failures, or a person, say of it.

The rules are those of Kong's passive checks. Failures count by kind, a success clears them and the other way round; a
count that reaches its threshold turns the target, and a threshold of 0 never does. A mark by hand turns it at once.

To add a kind of evidence: a counter here, its threshold in ``nouns.Passive``.
"""

from dataclasses import dataclass

from aimon_local.policy.nouns import Passive


@dataclass(slots=True)
class Health:
    """One target's standing."""

    healthy: bool = True
    successes: int = 0
    http_failures: int = 0
    tcp_failures: int = 0
    timeouts: int = 0

    def mark(self, healthy: bool) -> None:
        """Set by hand; what was counted before is forgotten."""
        self.healthy = healthy
        self.successes = 0
        self._clear_failures()

    def answered(self, status: int, law: Passive) -> None:
        """The target answered with a status; one that neither list names says nothing."""
        if status in law.healthy:
            self._succeeded(law)
        elif status in law.unhealthy and law.http_failures and self.healthy:
            self.successes = 0
            self.http_failures += 1
            self._turn(self.http_failures >= law.http_failures)

    def failed(self, timeout: bool, law: Passive) -> None:
        """The target could not be reached, or was too slow (``timeout``)."""
        if not self.healthy or not (law.timeouts if timeout else law.tcp_failures):
            return
        self.successes = 0
        if timeout:
            self.timeouts += 1
            self._turn(self.timeouts >= law.timeouts)
        else:
            self.tcp_failures += 1
            self._turn(self.tcp_failures >= law.tcp_failures)

    def _succeeded(self, law: Passive) -> None:
        self._clear_failures()
        if self.healthy or not law.successes:
            return
        self.successes += 1
        if self.successes >= law.successes:
            self.mark(True)

    def _turn(self, down: bool) -> None:
        if down:
            self.mark(False)

    def _clear_failures(self) -> None:
        self.http_failures = self.tcp_failures = self.timeouts = 0


def watched(law: Passive) -> bool:
    """Whether anything but a mark by hand can turn a target."""
    return bool(law.successes or law.http_failures or law.tcp_failures or law.timeouts)
