"""What another system can't express: one ``Gap`` each, in words for the person who moves there."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """One rule or entity that is not, or not wholly, in the document."""

    where: str  # "tier free", "consumer ann"
    what: str  # the rule or field: "concurrency"
    why: str  # what the other side lacks
    instead: str  # what to do there


def report(gaps: Iterable[Gap]) -> list[dict[str, str]]:
    """Gaps as JSON has them: each once, sorted."""
    return [asdict(gap) for gap in sorted(set(gaps))]


def lines(gaps: Iterable[Gap]) -> list[str]:
    """Gaps for people, a line each."""
    return [f"{gap.where}: {gap.what}: {gap.why}; {gap.instead}" for gap in sorted(set(gaps))]
