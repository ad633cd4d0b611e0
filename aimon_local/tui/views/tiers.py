"""The tier board, the consumers of a tier, the last denials: lines of what is seen. Pure."""

from collections.abc import Callable, Mapping, Sequence

from aimon_local.tui import lines, traces
from aimon_local.tui.lines import Column, Line, Signs, clean
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import NEAR, Consumer, Limit, Request, Sums, Tier

NOBODY = "(no key)"
NO_TIER = "(no tier)"

BOARD = (
    Column("TIER", 12, 0, grows=True),
    Column("WHO", 4, 4, right=True),
    Column("REQ/S", 6, 0, right=True),
    Column("TOK/MIN", 7, 1, right=True),
    Column("FULLEST LIMIT", 28, 2),
    Column("60 STEPS", 20, 6, grows=True),
    Column("ALLOWED", 7, 0, right=True),
    Column("DENIED", 6, 0, right=True),
    Column("WHY", 18, 7, grows=True),
    Column("REVENUE", 9, 3, right=True),
    Column("MARGIN", 9, 5, right=True),
)
_LARGEST: Mapping[str, Callable[[Seen, Tier], float]] = {
    "req/s": lambda seen, tier: traces.per_second(tier.requests, seen.window, seen.second),
    "denied": lambda seen, tier: tier.sums.denied,
    "revenue": lambda seen, tier: tier.sums.charge,
}
SORTS = ("name", *_LARGEST)


def headline(seen: Seen) -> tuple[str, str, str]:
    """The three figures: requests a second, tokens a minute, revenue of today."""
    state, window, second = seen.state, seen.window, seen.second
    requests = sum(traces.per_second(tier.requests, window, second) for tier in state.tiers.values())
    tokens = sum(traces.per_second(tier.tokens, window, second) for tier in state.tiers.values()) * 60
    return lines.rate(requests), lines.count(tokens), lines.dollars(state.total.charge)


def tightest(seen: Seen) -> Mapping[str, tuple[Limit, str]]:
    """Of each tier the limit that is used up the most, and whose."""
    out: dict[str, tuple[Limit, str]] = {}
    for each in seen.state.consumers.values():
        found = each.tightest(seen.now_ns)
        if found is not None and (each.tier not in out or found.share > out[each.tier][0].share):
            out[each.tier] = (found, each.name)
    return out


def ordered(seen: Seen, sort: str) -> list[Tier]:
    """The tiers: by name, or the largest first; who has no tier only where something came."""
    some = [tier for tier in seen.state.tiers.values() if tier.name or tier.sums.allowed or tier.sums.denied]
    by = _LARGEST.get(sort, _alike)
    return sorted(some, key=lambda tier: (-by(seen, tier), tier.name or "~"))


def _alike(seen: Seen, tier: Tier) -> float:
    return 0.0


def board(seen: Seen, tiers: Sequence[Tier], width: int) -> tuple[Line, list[Line]]:
    """Heading, and a line for each tier."""
    places = lines.chosen(BOARD, width)
    full = tightest(seen)
    cut = seen.signs.cut
    widths = dict(places)
    made = [lines.row(BOARD, places, _tier(seen, tier, full.get(tier.name), widths), cut) for tier in tiers]
    return lines.heading(BOARD, places, cut), made


def _tier(seen: Seen, tier: Tier, full: tuple[Limit, str] | None, widths: Mapping[int, int]) -> list[lines.Cell]:
    sums, signs = tier.sums, seen.signs
    rate = traces.per_second(tier.requests, seen.window, seen.second)
    tokens = traces.per_second(tier.tokens, seen.window, seen.second) * 60
    steps = traces.of(tier.requests, seen.window).until(seen.second)
    return [
        (clean(tier.name) or NO_TIER, "bold"),
        str(tier.consumers),
        lines.rate(rate),
        lines.count(tokens),
        _limit(full, widths.get(4, 28), seen),
        (lines.spark(steps, widths.get(5, 20), signs), "spark"),
        (lines.count(sums.allowed), "ok"),
        (lines.count(sums.denied), "deny" if sums.denied else "dim"),
        (why(sums), "dim"),
        (lines.dollars(sums.charge), "money"),
        (lines.dollars(sums.margin), "deny" if sums.margin < 0 else "money"),
    ]


def _limit(full: tuple[Limit, str] | None, width: int, seen: Seen) -> Line:
    """A bar of eight, the share, the limit's name: ``████░░░░  52% tokens/minute ann``."""
    if full is None:
        return (("", "dim"),)
    limit, who = full
    used, held = limit.used / (limit.amount or 1), limit.held / (limit.amount or 1)
    mark = seen.signs.deny if limit.share >= 1 else seen.signs.near if limit.share >= NEAR else " "
    text = f"{min(999, round(limit.share * 100)):>4}%{mark}{clean(limit.name)} {clean(who)}"
    style = "deny" if limit.share >= 1 else "near" if limit.share >= NEAR else "text"
    return (*lines.bar(used, held, 8, seen.signs), (lines.fit(text, width - 8, cut=seen.signs.cut), style))


def why(sums: Sums) -> str:
    """The reasons of denials, the most frequent first."""
    found = sorted(sums.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return " ".join(f"{clean(reason)}:{lines.count(times)}" for reason, times in found)


# ---- the last denials

DENIALS = (
    Column("DENIED AT", 9, 0),
    Column("CONSUMER", 14, 0, grows=True),
    Column("TIER", 10, 2),
    Column("STATUS", 6, 1, right=True),
    Column("REASON", 22, 0, grows=True),
    Column("MODEL", 16, 3, grows=True),
    Column("ROUTE", 12, 4),
)


def denials_heading(width: int, signs: Signs) -> Line:
    """The titles."""
    return lines.heading(DENIALS, lines.chosen(DENIALS, width), signs.cut)


def denial(each: Request, width: int, signs: Signs) -> Line:
    """A request that was denied."""
    cells: list[lines.Cell] = [
        lines.clock(each.at_ns),
        clean(each.consumer) or NOBODY,
        clean(each.tier) or "-",
        str(each.status),
        (f"{signs.deny} {clean(each.denied)}", "deny"),
        clean(each.model) or "-",
        clean(each.route) or "-",
    ]
    return lines.row(DENIALS, lines.chosen(DENIALS, width), cells, signs.cut)


# ---- consumers

CONSUMERS = (
    Column("CONSUMER", 16, 0, grows=True),
    Column("TIER", 12, 3),
    Column("FULLEST LIMIT", 34, 1, grows=True),
    Column("ALLOWED", 7, 0, right=True),
    Column("DENIED", 6, 0, right=True),
    Column("TOKENS", 7, 2, right=True),
    Column("REVENUE", 9, 4, right=True),
    Column("MARGIN", 9, 5, right=True),
    Column("WHY", 20, 6, grows=True),
)


def of_tier(seen: Seen, tier: str) -> list[Consumer]:
    """Its consumers, the busiest first."""
    some = [each for each in seen.state.consumers.values() if each.tier == tier]
    return sorted(some, key=lambda each: (-(each.sums.allowed + each.sums.denied), each.name))


def consumers(seen: Seen, some: Sequence[Consumer], width: int) -> tuple[Line, list[Line]]:
    """Heading and a line for each."""
    places = lines.chosen(CONSUMERS, width)
    widths = dict(places)
    made = [
        lines.row(
            CONSUMERS,
            places,
            [
                (clean(each.name) or NOBODY, "bold"),
                clean(each.tier) or NO_TIER,
                _limit(None if (full := each.tightest(seen.now_ns)) is None else (full, ""), widths.get(2, 34), seen),
                (lines.count(each.sums.allowed), "ok"),
                (lines.count(each.sums.denied), "deny" if each.sums.denied else "dim"),
                lines.count(each.sums.input + each.sums.output),
                (lines.dollars(each.sums.charge), "money"),
                (lines.dollars(each.sums.margin), "deny" if each.sums.margin < 0 else "money"),
                (why(each.sums), "dim"),
            ],
            seen.signs.cut,
        )
        for each in some
    ]
    return lines.heading(CONSUMERS, places, seen.signs.cut), made
