"""Revenue, cost and margin of today, apart by tier, consumer or model; and what other prices would make of it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.tui import lines
from aimon_local.tui.lines import Column, Line, Signs, clean
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import Sums

GROUPS = ("tier", "consumer", "model")
MONEY = (
    Column("", 18, 0, grows=True),
    Column("CALLS", 7, 1, right=True),
    Column("TOKENS IN", 9, 3, right=True),
    Column("OUT", 7, 3, right=True),
    Column("REVENUE", 12, 0, right=True),
    Column("COST", 12, 0, right=True),
    Column("MARGIN", 12, 0, right=True),
    Column("MARGIN %", 8, 2, right=True),
    Column("", 24, 4),
)


def grouped(seen: Seen, by: str) -> list[tuple[str, Sums]]:
    """(name, sums), the largest revenue first; what moved no money and no token is left out."""
    state = seen.state
    found: Mapping[str, Sums] = (
        state.models
        if by == "model"
        else {each.name: each.sums for each in (state.tiers if by == "tier" else state.consumers).values()}
    )
    some = [(name, sums) for name, sums in found.items() if sums.calls]
    return sorted(some, key=lambda pair: (-pair[1].charge, -pair[1].cost, pair[0]))


def table(seen: Seen, some: Sequence[tuple[str, Sums]], width: int) -> tuple[Line, list[Line]]:
    """Heading and a line for each."""
    places = lines.chosen(MONEY, width)
    most = max([max(sums.charge, sums.cost) for _, sums in some], default=0) or 1
    made = [lines.row(MONEY, places, _row(name, sums, most, seen.signs), seen.signs.cut) for name, sums in some]
    return lines.heading(MONEY, places, seen.signs.cut), made


def _row(name: str, sums: Sums, most: int, signs: Signs) -> list[lines.Cell]:
    percent = f"{100 * sums.margin / sums.charge:.1f}" if sums.charge else "-"
    style = "deny" if sums.margin < 0 else "money"
    return [
        (clean(name) or "(none)", "bold"),
        lines.count(sums.calls),
        lines.count(sums.input),
        lines.count(sums.output),
        (lines.dollars(sums.charge), "money"),
        lines.dollars(sums.cost),
        (f"{signs.deny if sums.margin < 0 else ''}{lines.dollars(sums.margin)}", style),
        (percent, style),
        ((signs.bar * round(12 * sums.charge / most)).ljust(12) + (signs.held * round(12 * sums.cost / most)), "bar"),
    ]


def head(seen: Seen, by: str) -> Line:
    """The day's sums."""
    total = seen.state.total
    return (
        (f" today by {by}: ", "title"),
        (f"revenue {lines.dollars(total.charge)}  ", "money"),
        (f"cost {lines.dollars(total.cost)}  ", "text"),
        (f"margin {lines.dollars(total.margin)}", "deny" if total.margin < 0 else "money"),
        ("   (usage alone; monthly fees are on the bill)", "dim"),
    )


# ---- what if


def asked(text: str) -> dict[str, Any] | str:
    """The offer that some words stand for; a text: what is wrong with them.

    ``mock-small 1 4``: a model's price, dollars per million tokens in and out. ``pro 150``: a plan's markup in percent
    of what calls cost.
    """
    words = text.split()
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError:
        return "give numbers behind the name: MODEL IN OUT, or PLAN MARKUP_PERCENT"
    if len(numbers) == 2:
        return {"model_prices": [{"model": words[0], "input": numbers[0], "output": numbers[1]}]}
    if len(numbers) == 1:
        return {"price_plans": {words[0]: {"markup_percent": numbers[0]}}}
    return "give MODEL IN OUT (dollars per million tokens), or PLAN MARKUP_PERCENT"


def compared(answer: Mapping[str, Any], width: int) -> list[Line]:
    """As it was, and as it would have been."""
    plan = answer["plans"][0]
    out: list[Line] = [((" what if: nothing is stored; since midnight", "head"),)]
    for word, side in (("as it was", plan["recorded"]), ("as if", plan["other"])):
        total = side["total"]
        said = "  ".join(f"{name} ${clean(total[name])}" for name in ("cost", "charge", "fees", "revenue", "margin"))
        counts = f"{total['allowed']} allowed {total['denied']} denied"
        out.append(((f"   {word:<10}", "bold"), (f"{counts}  {said}", "text")))
    changed = f"   it would deny {plan['newly_denied']} more and admit {plan['newly_allowed']} more"
    return [*out, ((lines.fit(changed, width).rstrip(), "near"),)]
