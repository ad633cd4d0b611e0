"""Service levels per consumer: how many admitted calls went well, and how long they took. Pure."""

from dataclasses import dataclass, field

from aimon_local.policy.insights.facts import Facts, Insight, Rows, percent, rank

SHARES = (50, 95, 99)


@dataclass(slots=True)
class _Served:
    denied: int = 0
    well: int = 0
    first: list[int] = field(default_factory=list)  # microseconds
    total: list[int] = field(default_factory=list)


def fold(facts: Facts) -> Rows:
    """A row per consumer, by name."""
    found: dict[str, _Served] = {}
    for each in facts.rows:
        served, row = found.setdefault(each.consumer, _Served()), each.row
        if not each.allowed:
            served.denied += 1
            continue
        served.well += row.complete and 0 < row.status < 500
        served.total.append(row.total_us)
        if row.upstream_us is not None:
            served.first.append(row.gateway_us + row.upstream_us)
    return [_row(name, found[name]) for name in sorted(found)]


def _row(name: str, served: _Served) -> dict[str, object]:
    admitted = len(served.total)
    out: dict[str, object] = {
        "consumer": name,
        "requests": admitted + served.denied,
        "denied": served.denied,
        "failed": admitted - served.well,
        "success_percent": percent(served.well, admitted),
    }
    for what, values in (("first_byte", sorted(served.first)), ("total", sorted(served.total))):
        for share in SHARES:
            found = rank(values, share)
            out[f"{what}_p{share}_ms"] = None if found is None else found / 1000
    return out


_TIMES = [f"{what}_p{share}_ms" for what in ("first_byte", "total") for share in SHARES]
INSIGHT = Insight(
    "Success and response times per consumer.",
    "Of admitted calls: success is an answer below 500 that came whole; times by nearest rank; the first byte is that "
    "of the upstream's answer, with the gateway's own time.",
    (*("consumer", "requests", "denied", "failed", "success_percent"), *_TIMES),
    fold,
)
