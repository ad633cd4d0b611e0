"""The live tail, and one request's story: lines of what is seen. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.tui import lines
from aimon_local.tui.lines import Column, Line, Piece, Signs, clean
from aimon_local.tui.seen import Seen
from aimon_local.tui.state import Request
from aimon_local.tui.views.tiers import NOBODY

TAIL = (
    Column("TIME", 8, 0),
    Column("CONSUMER", 14, 0, grows=True),
    Column("TIER", 8, 4),
    Column("ROUTE", 12, 5),
    Column("MODEL", 16, 3, grows=True),
    Column("STATUS", 6, 0, right=True),
    Column("TOOK", 8, 2, right=True),
    Column("IN", 6, 6, right=True),
    Column("OUT", 6, 6, right=True),
    Column("COST", 10, 7, right=True),
    Column("DECISION", 24, 1, grows=True),
)


def decision(request: Request, signs: Signs) -> Piece:
    """Sign and word of what was decided."""
    if request.denied:
        return f"{signs.deny} deny: {clean(request.denied)}", "deny"
    if request.shadow or request.guard.startswith("~"):
        return f"{signs.shadow} shadow: {clean(request.shadow or request.guard[1:])}", "shadow"
    if request.guard:  # it was let through, and the guard has said something of it
        return f"{signs.shadow} guard: {clean(request.guard)}", "shadow"
    return (f"{signs.ok} allow", "ok") if request.complete else (f"{signs.ok} allow, cut", "near")


def heading(width: int, signs: Signs) -> Line:
    """The tail's titles."""
    return lines.heading(TAIL, lines.chosen(TAIL, width), signs.cut)


def tail(request: Request, width: int, signs: Signs) -> Line:
    """One request as a line."""
    cells: list[lines.Cell] = [
        (lines.clock(request.at_ns), "dim"),
        clean(request.consumer) or NOBODY,
        clean(request.tier) or "-",
        clean(request.route) or "-",
        clean(request.model) or "-",
        (str(request.status), "deny" if request.status >= 400 or not request.status else "text"),
        lines.latency(request.total_us),
        lines.count(request.input) if request.input else "-",
        lines.count(request.output) if request.output else "-",
        (lines.dollars(request.cost) if request.cost else "-", "money"),
        decision(request, signs),
    ]
    return lines.row(TAIL, lines.chosen(TAIL, width), cells, signs.cut)


def title(shown: int, known: int, text: str, fault: str | None, new: int) -> Line:
    """What is listed, what filters it, and how much came below."""
    out: list[Piece] = [(f" {shown:,} of {known:,} requests", "title")]
    if text:
        out.append((f"  filter: {clean(text)}", "key"))
    if fault:
        out.append((f"  {clean(fault)}", "deny"))
    if new:
        out.append((f"  +{new} new below (G)", "near"))
    return tuple(out)


# ---- one request

_PHASES = ("receive", "route", "identify", "admit", "forward", "meter", "settle", "record")
LIMITS = (
    Column("LIMIT", 22, 0, grows=True),
    Column("AMOUNT", 10, 0, right=True),
    Column("BEFORE", 10, 0, right=True),
    Column("HELD", 10, 1, right=True),
    Column("AFTER", 10, 0, right=True),
    Column("RESETS", 20, 2),
)


def story(seen: Seen, explained: Mapping[str, Any], width: int) -> list[Line]:
    """What became of a request: the phases with their facts, its limits before and after, its denial."""
    signs = seen.signs
    denied = explained["verdict"] == "deny"
    sign = (f" {signs.deny} ", "deny") if denied else (f" {signs.ok} ", "ok")
    out: list[Line] = [(sign, (f"{clean(explained['request_id'])}  {clean(explained['at'])}", "bold"))]
    out += lines.wrapped(clean(explained["summary"], 2000), width, "   ")
    passed = [phase["phase"] for phase in explained["phases"]]
    for number, name in enumerate(_PHASES, 1):
        facts = next((phase for phase in explained["phases"] if phase["phase"] == name), None)
        if facts is None:
            word = "not reached" if denied and number > 4 else "nothing to do"
            out.append(((f" {number} {name:<9}", "dim"), (word, "dim")))
            continue
        stopped = (denied and name == "admit") or (denied and name == "identify" and "admit" not in passed)
        out.append(())
        out[-1] = ((f" {number} {name:<9}", "deny" if stopped else "key"), *_facts(facts, signs, width - 12))
    if explained["limits"]:
        places = lines.chosen(LIMITS, width - 2)
        out += [(), ((" ", "text"), *lines.heading(LIMITS, places, signs.cut))]
        out += [((" ", "text"), *_limit(limit, places, signs)) for limit in explained["limits"]]
    if explained["denial"]:
        out += [(), ((" denied by", "deny"),)]
        out += [
            ((f"   {clean(name):<12}", "dim"), (clean(_text(value)), "text"))
            for name, value in explained["denial"].items()
            if value is not None
        ]
    return out


def _facts(facts: Mapping[str, Any], signs: Signs, width: int) -> Line:
    """Facts of a phase in one line; what is empty is left out."""
    said = [
        f"{clean(name)} {clean(_text(value))}"
        for name, value in facts.items()
        if name != "phase" and value not in (None, [], "", {})
    ]
    return ((lines.fit(f" {signs.dot} ".join(said), width, cut=signs.cut), "text"),)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_text(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _limit(limit: Mapping[str, Any], places: Sequence[tuple[int, int]], signs: Signs) -> Line:
    name = clean(limit["name"]) + (f" ({clean(limit['account'])})" if limit["account"] else "")
    cells: list[lines.Cell] = [
        name,
        *(clean(limit[each]) for each in ("amount", "before", "held", "after")),
        clean(limit["resets_at"] or "-"),
    ]
    return lines.row(LIMITS, places, cells, signs.cut)


# ---- copied

_PATHS = {
    "openai.chat": "/v1/chat/completions",
    "openai.completions": "/v1/completions",
    "openai.responses": "/v1/responses",
    "openai.embeddings": "/v1/embeddings",
    "anthropic.messages": "/v1/messages",
}


def curl(row: Mapping[str, Any], proxy: str, paths: Sequence[str], key: str) -> str:
    """A curl line of the request's kind. Its body is not kept anywhere, so a short one stands in."""
    ai = row.get("ai") or {}
    path = (paths[0].rstrip("/") if paths else "") + _PATHS.get(ai.get("dialect") or "", "/" if not paths else "")
    words = ["curl", "-i"]
    if row["method"] not in ("GET", "POST"):
        words += ["-X", row["method"]]
    words += [f"{proxy}{path}", "-H", f"apikey: {key or 'YOUR-KEY'}"]
    if ai.get("dialect"):
        body: dict[str, Any] = {"model": ai["model"]}
        if ai["dialect"] in ("openai.chat", "anthropic.messages"):
            body["messages"] = [{"role": "user", "content": "hello"}]
        else:
            body["prompt" if ai["dialect"] == "openai.completions" else "input"] = "hello"
        if ai["dialect"] == "anthropic.messages":
            body["max_tokens"] = 256
        if ai["stream"]:
            body["stream"] = True
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    """For a shell (POSIX: in single quotes nothing is special but the quote)."""
    safe = word and all(each.isalnum() or each in "-_./:=" for each in word)
    return word if safe else "'" + word.replace("'", "'\"'\"'") + "'"
