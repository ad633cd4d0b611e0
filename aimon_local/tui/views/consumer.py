"""One consumer: its limits with what is reserved, its keys, what it used. Lines of what is seen. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.tui import lines
from aimon_local.tui.lines import Column, Line, clean
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import NEAR, Consumer, Limit
from aimon_local.tui.views.tiers import NO_TIER, NOBODY, why

LIMITS = (
    Column("LIMIT", 24, 0, grows=True),
    Column("", 16, 2),
    Column("USED", 9, 0, right=True),
    Column("RESERVED", 9, 1, right=True),
    Column("LEFT", 9, 0, right=True),
    Column("OF", 9, 1, right=True),
    Column("RESETS IN", 9, 0, right=True),
    Column("", 10, 3),
)


def limits(seen: Seen, some: Sequence[Limit], width: int) -> list[Line]:
    """Every limit: used, reserved, left, when it resets."""
    if not some:
        return [(("  No limit acts on it: it has no tier, or its tier limits nothing.", "dim"),)]
    places = lines.chosen(LIMITS, width)
    out = [lines.heading(LIMITS, places, seen.signs.cut)]
    return out + [lines.row(LIMITS, places, _limit(seen, each), seen.signs.cut) for each in some]


def _limit(seen: Seen, limit: Limit) -> list[lines.Cell]:
    signs = seen.signs
    left = max(0, limit.amount - limit.used - limit.held)
    full = limit.share >= 1
    word = f"{signs.deny} full" if full else f"{signs.near} near" if limit.share >= NEAR else ""
    if limit.shadow:
        word = f"{signs.shadow} shadow"
    resets = lines.duration(limit.resets_ns - seen.now_ns) if limit.resets_ns else "-"
    name = clean(limit.name) + (f" on {clean(limit.account)}" if limit.account else "")
    share = limit.amount or 1
    return [
        (name, "bold"),
        lines.bar(limit.used / share, limit.held / share, 16, signs),
        lines.amount(limit.name, limit.used),
        (lines.amount(limit.name, limit.held), "shadow"),
        lines.amount(limit.name, left),
        lines.amount(limit.name, limit.amount),
        resets,
        (word, "shadow" if limit.shadow else "deny" if full else "near"),
    ]


def head(seen: Seen, who: Consumer) -> list[Line]:
    """Who it is and what it did today."""
    sums = who.sums
    return [
        ((f" {clean(who.name) or NOBODY}", "title"), (f"  tier {clean(who.tier) or NO_TIER}", "bold")),
        (
            (f" today: {seen.signs.ok} {sums.allowed:,} allowed", "ok"),
            (f"  {seen.signs.deny} {sums.denied:,} denied ", "deny" if sums.denied else "dim"),
            (f"{why(sums)}", "dim"),
            (f"  {lines.count(sums.input)} tokens in, {lines.count(sums.output)} out", "text"),
            (f"  revenue {lines.dollars(sums.charge)}, margin {lines.dollars(sums.margin)}", "money"),
        ),
    ]


def keys(rows: Sequence[Mapping[str, Any]], signs: lines.Signs) -> list[Line]:
    """Its API keys: never the key itself where it is hashed."""
    out: list[Line] = [((" keys", "head"),)]
    for row in rows:
        state = f"{signs.near} expires {row['ttl']}s after it was made" if row.get("ttl") else f"{signs.ok} good"
        out.append(
            (
                (f"   {clean(row['id'])}", "text"),
                (f"  {clean(row.get('key') or '')[-8:]:>8}", "dim"),
                (f"  {state}", "ok"),
            )
        )
    return out if rows else [*out, (("   none: K makes one", "dim"),)]


def models(rows: Mapping[str, tuple[int, int, int]]) -> Line:
    """Models that it used in the tail that is kept: calls, tokens, cost."""
    if not rows:
        return ((" models: none yet", "dim"),)
    said = [
        f"{clean(name) or '-'} {calls}x {lines.count(tokens)} tokens {lines.dollars(cost)}"
        for name, (calls, tokens, cost) in sorted(rows.items(), key=lambda pair: -pair[1][2])
    ]
    return ((" models: ", "head"), (", ".join(said), "text"))
