"""Where in which run a call of an agent is: by the header that the gateway signed, a token's run, or the agent's own.

The header is believed only as signed: another owner's, another agent's, or a depth that was lowered is refused. Names
that others give (traceparent, baggage, MCP, A2A) only name a run that begins: they can't begin one, so no client gets a
fresh count by a fresh name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.metering.dialects import dialect_for
from aimon_local.model.agent import Agent
from aimon_local.model.usage import CounterChange
from aimon_local.policy import reasons
from aimon_local.policy.account import Account
from aimon_local.policy.agents.runs import Run, Runs, began, child
from aimon_local.policy.agents.scopes import Refused
from aimon_local.policy.agents.signing import RunMark, read_run, run_text, short
from aimon_local.policy.call import NEED_BODY, Call, NeedBody

RUN, DEPTH = b"x-aimon-run", b"x-aimon-depth"
_NS = 1_000_000_000
_LOOKED_AT = 65_536  # bytes of a JSON-RPC body that is read for a name
_HINT = 40  # characters
_DEEPEST = 9_999

Claims = Mapping[str, Any] | None


@dataclass(slots=True)
class Place:
    """Where a call is."""

    run: Run
    depth: int
    parent: str | None  # the call that started it, where one is known to have
    counted: bool = False  # among its parent's children

    def accounts(self, agent: Agent, runs: Runs, claims: Claims, now: int) -> list[Account]:
        """The run's account, and that of a token with a budget."""
        limits = agent.limits
        found = [self.run.bounded(agent.id, limits.requests, limits.tokens, limits.cost)]
        budget = claims.get("budget") if claims is not None else None
        if claims is not None and isinstance(budget, Mapping):
            purse = runs.open(agent.owner_id, str(claims["jti"]), now, "token")
            found.append(purse.bounded("", budget.get("requests"), budget.get("tokens"), budget.get("cost")))
        return found


def place(call: Call, agent: Agent, claims: Claims) -> Place | Refused | NeedBody:
    """The place of a call; counts nothing."""
    given, deeper = call.get_all(RUN), _depth(call)
    if isinstance(deeper, Refused):
        return deeper
    if not given:
        found = _unnamed(call, agent, claims)
        if isinstance(found, NeedBody):
            return found
        found.last_ns = call.now_ns
        return Place(found, deeper or 0, None)
    text = given[0].decode("latin-1")
    mark = read_run(call.state.key, agent.owner_id, text) if len(given) == 1 else None
    if mark is None:
        return _forged("X-Aimon-Run was not signed by this gateway for this owner's agents")
    return _signed(call, agent, claims, mark, mark.depth if deeper is None else deeper)


def _signed(call: Call, agent: Agent, claims: Claims, mark: RunMark, depth: int) -> Place | Refused:
    named = claims.get("run") if claims is not None else None
    if named is not None and mark.run != f"r-{named}":
        return Refused(reasons.RUN_REPLAYED, "The token is for another run than X-Aimon-Run names.")
    if depth < mark.depth:
        return _forged(f"X-Aimon-Depth is {depth}, and the signed depth is {mark.depth}")
    parent = mark.call if mark.kind == "u" or depth > mark.depth else None
    if parent is None and mark.who != short(agent.id):
        return Refused(reasons.RUN_REPLAYED, "X-Aimon-Run was given to another agent, which goes on with it.")
    run = call.state.runs.open(agent.owner_id, mark.run, call.now_ns)
    run.last_ns = call.now_ns
    return Place(run, depth, parent)


def _forged(text: str) -> Refused:
    return Refused(reasons.RUN_FORGED, f"{text}; leave it out, or give back what an answer carried.")


def _depth(call: Call) -> int | Refused | None:
    given = call.get_all(DEPTH)
    if not given:
        return None
    text = given[0].decode("latin-1")
    if len(given) > 1 or not (text.isascii() and text.isdecimal()) or len(text) > 4:
        return _forged(f"X-Aimon-Depth must be one whole number, at most {_DEEPEST}")
    return int(text)


def _unnamed(call: Call, agent: Agent, claims: Claims) -> Run | NeedBody:
    """The token's run, or the key's own, which begins where the last one has ended."""
    runs, owner = call.state.runs, agent.owner_id
    if claims is not None and claims.get("run") is not None:
        return runs.open(owner, f"r-{claims['run']}", call.now_ns)
    key = short(f"{agent.id}{call.credential.id if call.credential is not None else ''}")
    lasting = runs.lasting(owner, key, agent.limits, call.now_ns)
    if lasting is not None:
        return lasting
    hint = _hint(call)
    return hint if isinstance(hint, NeedBody) else runs.begin(owner, key, hint, call.now_ns)


def over(place: Place, agent: Agent, now: int) -> Refused | None:
    """The limits of a run that no counter holds: time, depth, fan-out."""
    limits, run = agent.limits, place.run
    if limits.seconds is not None and now - run.started_ns > limits.seconds * _NS:
        text = f"The run has lasted for more than its {limits.seconds:g} s."
        return Refused(reasons.RUN_TIME, text)
    if limits.depth is not None and place.depth > limits.depth:
        text = f"The call is at depth {place.depth} of its run; the agent '{agent.name}' may go to {limits.depth}."
        return Refused(reasons.RUN_DEPTH, text)
    if place.parent is None or limits.fanout is None or place.counted:
        return None
    if run.children.get(place.parent, 0) < limits.fanout:
        return None
    return Refused(reasons.RUN_FANOUT, f"One call has started {limits.fanout} calls, which is the most it may.")


def begin(call: Call, agent: Agent, place: Place) -> list[CounterChange]:
    """The call was admitted: count it as a child, tell upstream and client where they are. The rows to store."""
    run, now = place.run, call.now_ns
    run.deepest = max(run.deepest, place.depth)
    rows = [began(run, now)]
    if place.parent is not None and not place.counted:
        place.counted = True
        rows.append(child(run, place.parent, now))
    secret, id_, who = call.state.key, call.request_id[-16:], short(agent.id)
    answer = RunMark(run.name, place.depth, id_, who, "a")
    onward = RunMark(run.name, place.depth + 1, id_, who, "u")
    call.set("X-Aimon-Run", run_text(secret, agent.owner_id, onward))
    call.set("X-Aimon-Depth", str(onward.depth))
    call.reply_fields += (
        (b"X-Aimon-Run", run_text(secret, agent.owner_id, answer).encode()),
        (b"X-Aimon-Depth", b"%d" % place.depth),
    )
    return rows


def give_back(place: Place, now: int) -> list[CounterChange]:
    """The call never reached its upstream: it was no child after all."""
    if not place.counted or place.parent is None:
        return []
    place.counted = False
    return [child(place.run, place.parent, now, -1)]


# ---- names that others give


def _hint(call: Call) -> str | NeedBody:
    """A name for a run that begins; "": nobody gave one."""
    session = call.get(b"mcp-session-id")
    if session:
        return _tidy("mcp_", session.decode("latin-1"))
    for item in (call.get(b"baggage") or b"").decode("latin-1").split(","):
        name, _, value = item.partition(";")[0].partition("=")
        if name.strip() == "aimon.run" and value.strip():
            return _tidy("", value.strip())
    trace = (call.get(b"traceparent") or b"").decode("latin-1").split("-")
    if len(trace) >= 4 and len(trace[1]) == 32:
        return _tidy("trace_", trace[1])
    return _of_body(call)


def _of_body(call: Call) -> str | NeedBody:
    """A2A: the context or task that a JSON-RPC message belongs to."""
    kind = (call.get(b"content-type") or b"").lower()
    if call.method != "POST" or not kind.startswith(b"application/json") or dialect_for(call.method, call.path):
        return ""
    if call.body is None:
        return NEED_BODY if 0 < (call.content_length or 0) <= _LOOKED_AT else ""
    try:
        document = json.loads(call.body)
    except (ValueError, RecursionError):
        return ""
    params = document.get("params") if isinstance(document, dict) and document.get("jsonrpc") == "2.0" else None
    message = params.get("message") if isinstance(params, dict) else None
    for where in (message, params):
        for name in ("contextId", "taskId"):
            value = where.get(name) if isinstance(where, dict) else None
            if isinstance(value, str) and value:
                return _tidy("a2a_", value)
    return ""


def _tidy(kind: str, text: str) -> str:
    """A client's text as a name: letters, digits, - and _ alone."""
    return kind + "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "_" for each in text[:_HINT])
