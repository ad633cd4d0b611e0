"""Spans of the ledger: whole hours, which have sums, and the rests at both ends. Pure arithmetic on nanoseconds."""

HOUR_NS = 3_600_000_000_000
_END = (1 << 62) // HOUR_NS * HOUR_NS  # an hour behind every time (the year 2116)


def ends(low: int, high: int, first: int, end: int) -> list[tuple[int, int]]:
    """The rests of a span beside its whole hours [first, end), each within one hour."""
    if first > end:
        return [(low, high)] if low < high else []
    rests = [(low, min(high, first * HOUR_NS)), (max(low, end * HOUR_NS), high)]
    return [(begin, stop) for begin, stop in rests if begin < stop]


def bounds(since: int | None, until: int | None) -> tuple[int, int]:
    """A span with its open ends closed, on the hour."""
    return 0 if since is None else since, _END if until is None else until
