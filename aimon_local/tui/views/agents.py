"""Who acts for whom, what guards say, what waits for a yes or a no. Lines of what is seen. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aimon_local.tui import lines
from aimon_local.tui.lines import Column, Line, Signs, clean
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import Request

INBOX = (
    Column("WAITS FOR YOU", 14, 0),
    Column("CONSUMER", 14, 0, grows=True),
    Column("LIMIT", 18, 0, grows=True),
    Column("USED", 10, 1, right=True),
    Column("OF", 10, 1, right=True),
    Column("ASKED", 6, 2, right=True),
    Column("ENDS", 20, 3),
)


def inbox(rows: Sequence[Mapping[str, Any]], width: int, signs: Signs) -> tuple[Line, list[Line]]:
    """The questions of soft limits."""
    places = lines.chosen(INBOX, width)
    made = [
        lines.row(
            INBOX,
            places,
            [
                _state(row, signs),
                clean(row.get("consumer") or "-"),
                clean(row.get("limit") or "-"),
                clean(row.get("used")),
                clean(row.get("amount")),
                clean(row.get("asked")),
                clean(row.get("ends") or "-"),
            ],
            signs.cut,
        )
        for row in rows
    ]
    return lines.heading(INBOX, places, signs.cut), made


def _state(row: Mapping[str, Any], signs: Signs) -> lines.Piece:
    words = {"pending": (f"{signs.near} pending", "near"), "approved": (f"{signs.ok} approved", "ok")}
    return words.get(str(row.get("state")), (f"{signs.deny} {clean(row.get('state'))}", "deny"))


@dataclass(slots=True)
class _Run:
    calls: int = 0
    denied: int = 0
    tokens: int = 0
    cost: int = 0
    guards: dict[str, int] = field(default_factory=dict)

    def count(self, request: Request) -> None:
        self.calls += 1
        self.denied += bool(request.denied)
        self.tokens += request.tokens
        self.cost += request.cost
        for word in request.guard.split():
            self.guards[word] = self.guards.get(word, 0) + 1


def tree(seen: Seen, requests: Iterable[Request], guards: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Owner, agent, run: what each did in the tail that is kept, and the state of its guards."""
    owners: dict[str, dict[str, dict[str, _Run]]] = {}
    for each in requests:
        if each.agent or each.run or each.guard:
            runs = owners.setdefault(each.owner or "(no owner)", {}).setdefault(each.agent or each.consumer, {})
            runs.setdefault(each.run or "(no run)", _Run()).count(each)
    states = {str(row.get("consumer")): row for row in guards if row.get("consumer")}
    out: list[Line] = []
    for owner, agents in owners.items():
        out.append(((f" {clean(owner)}", "title"),))
        for agent, runs in agents.items():
            out.append(((f"   {clean(agent)}", "bold"), *_guard(states.pop(agent, None), seen.signs)))
            out += [_run(name, run, seen.signs) for name, run in runs.items()]
    if states:
        out.append(((" guards that watch", "title"),))
        out += [((f"   {clean(name)}", "bold"), *_guard(row, seen.signs)) for name, row in states.items()]
    return out or [
        (),
        (("  No agent called yet. Make one that acts for an owner, and give it a key:", "bold"),),
        (("  aimon-local run agent-ping-pong     plays two that run away, and how they are stopped", "key"),),
    ]


def _run(name: str, run: _Run, signs: Signs) -> Line:
    guards = " ".join(f"{clean(word)}:{times}" for word, times in run.guards.items())
    figures = f"{run.calls} calls  {lines.count(run.tokens)} tokens  {lines.dollars(run.cost)}"
    denied = f"  {signs.deny} {run.denied} denied" if run.denied else ""
    return ((f"     run {clean(name, 40)}  {figures}", "text"), (denied, "deny"), (f"  {guards}", "shadow"))


def _guard(row: Mapping[str, Any] | None, signs: Signs) -> Line:
    if row is None:
        return ()
    words = ", ".join(f"{clean(name)} {clean(action)}" for name, action in (row.get("guards") or {}).items())
    until = row.get("cool_down_until")
    cool = f"  {signs.deny} cools down until {clean(until)}, stopped by {clean(row.get('by'))}" if until else ""
    return ((f"  {signs.shadow} {words}", "shadow"), (cool, "deny"))
