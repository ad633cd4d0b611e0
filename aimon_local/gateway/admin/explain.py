"""``GET /requests/{request_id}/explain``: what became of one request and why, phase by phase, from its ledger row.

Our own. All of it was stored with the request, but for the names that route, service and credential have now. Money
leaves as dollars, a text with all its digits. To add a phase: a function, and its place in ``_phases``.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import NOT_FOUND, Ask, Reply, json_reply
from aimon_local.gateway.admin.requests import corrections
from aimon_local.gateway.refusals import CLIENT_GONE
from aimon_local.model.ai import AiRecord, LimitMark
from aimon_local.model.guard_words import told
from aimon_local.model.moment import SECOND, rfc3339
from aimon_local.model.money import dollars
from aimon_local.model.usage import UsageRow
from aimon_local.policy import reasons
from aimon_local.policy.ai_headers import duration, unit_of
from aimon_local.policy.ai_rule import RELEASED
from aimon_local.policy.limits import NEVER
from aimon_local.policy.reasons import ABNORMAL_USAGE, MEANINGS, THROTTLED

Facts = dict[str, Any]

_CREDENTIALS = {"keyauth_credentials": "key-auth", "basicauth_credentials": "basic-auth", "jwt_secrets": "jwt"}
_IDENTITY = frozenset(
    (
        *(reasons.NO_KEY, reasons.INVALID_KEY, reasons.KEY_EXPIRED, reasons.DUPLICATE_KEY, reasons.NO_LOGIN),
        *(reasons.INVALID_LOGIN, reasons.NO_TOKEN, reasons.INVALID_TOKEN, reasons.TOKEN_EXPIRED),
        *(reasons.NO_ANONYMOUS, reasons.NO_CRYPTOGRAPHY),
    )
)


async def show(ask: Ask) -> Reply:
    """The whole story; 404 where the ledger has no such request."""
    request_id = ask.params["request_id"]
    row = await ask.context.ledger.usage_row(request_id)
    if row is None:
        return NOT_FOUND
    ai = (await ask.context.ledger.ai_records([request_id])).get(request_id)
    denied = None if row.deny_reason is None else _denial(row, ai)
    mended = await corrections(ask, request_id) if ai is not None else []
    out = {
        "request_id": row.request_id,
        "at": rfc3339(row.at_ns),
        "verdict": row.decision,
        "summary": _summary(row, ai, denied),
        "phases": [{"phase": name, **facts} for name, facts in _phases(ask, row, ai)],
        "limits": [_limit(ask, mark) for mark in ai.marks()] if ai is not None else [],
        "denial": denied,
        "corrections": [
            {"at": rfc3339(each["at_ns"]), "cost": _more(each["cost"]), "charge": _more(each["charge"])}
            for each in mended
        ],
    }
    return json_reply(200, out)


def _more(amount: int) -> str:
    """Dollars more, or less."""
    return f"{'-' if amount < 0 else ''}{dollars(abs(amount))}"


def _phases(ask: Ask, row: UsageRow, ai: AiRecord | None) -> list[tuple[str, Facts]]:
    """The phases that the request went through, in order."""
    out = [("receive", _receive(row, ai)), ("route", _route(ask, row)), ("identify", _identify(ask, row, ai))]
    if row.deny_reason not in _IDENTITY:
        out.append(("admit", _admit(row, ai)))
    if row.deny_reason is None:
        out.append(("forward", _forward(row)))
        if ai is not None and ai.source != "none":
            out.append(("meter", _meter(ai)))
    if ai is not None and (row.deny_reason is None or RELEASED in ai.flags):
        out.append(("settle", _settle(ai)))
    return [*out, ("record", _record(row))]


def _receive(row: UsageRow, ai: AiRecord | None) -> Facts:
    facts: Facts = {"method": row.method, "bytes": row.bytes_in}
    if ai is not None and ai.dialect:
        facts |= {"dialect": ai.dialect, "model": ai.model or None, "stream": ai.stream}
    return facts


def _route(ask: Ask, row: UsageRow) -> Facts:
    return {"route": _named(ask, "routes", row.route_id), "service": _named(ask, "services", row.service_id)}


def _named(ask: Ask, kind: str, id_: str | None) -> str | None:
    """The name that an entity has now, else its id."""
    found = ask.context.catalog.select(kind, id_) if id_ else None
    return id_ if found is None else found["name"] or id_


def _identify(ask: Ask, row: UsageRow, ai: AiRecord | None) -> Facts:
    kind = None
    otherwise = "deleted since" if ai is None or ai.agent is None else "agent token, or a key that is deleted since"
    if row.credential_id is not None:
        select = ask.context.catalog.select
        kind = next((word for kind, word in _CREDENTIALS.items() if select(kind, row.credential_id)), otherwise)
    return {"consumer": row.consumer, "credential": row.credential_id, "by": kind, "group": row.tier}


def _admit(row: UsageRow, ai: AiRecord | None) -> Facts:
    facts: Facts = {"decision": row.decision, "reason": row.deny_reason}
    if row.deny_reason is not None:
        facts["meaning"] = MEANINGS.get(row.deny_reason)
    if ai is not None:
        facts |= {"tier": ai.tier, "estimate": ai.estimate, "shadow": list(ai.shadow)}
        word = "reserved" if ai.denied_limit is None else "would_reserve"
        if ai.agent is not None:
            facts["chain"] = {"agent": ai.agent, "owner": ai.owner, "run": ai.run, "depth": ai.depth}
        if ai.guard:
            facts["guards"] = told(ai.guard)
        facts[word] = {
            "input_tokens": ai.reserved_input,
            "output_tokens": ai.reserved_output,
            "cost": dollars(ai.reserved_cost),
        }
    return facts


def _forward(row: UsageRow) -> Facts:
    return {
        "gateway_us": row.gateway_us,
        "upstream_status": row.upstream_status,
        "upstream_us": row.upstream_us,
    }


def _meter(ai: AiRecord) -> Facts:
    return {
        "source": ai.source,
        "served": ai.served,
        "finish_reason": ai.finish_reason,
        "complete": ai.complete,
        "flags": list(ai.flags),
    }


def _settle(ai: AiRecord) -> Facts:
    if RELEASED in ai.flags:
        return {"released": True}
    return {
        "input": ai.input,
        "cache_read": ai.cache_read,
        "cache_write": ai.cache_write,
        "output": ai.output,
        "reasoning": ai.reasoning,
        "cost": dollars(ai.cost),
        "charge": dollars(ai.charge),
    }


def _record(row: UsageRow) -> Facts:
    return {"status": row.status, "complete": row.complete, "bytes": row.bytes_out, "total_us": row.total_us}


# ---- limits and refusals


def _units(name: str) -> Any:
    return dollars if unit_of(name) in ("cost", "charge") else int


def _account(ask: Ask, account: str) -> str:
    """Whose limit: an agent's owner by name, and what of it; "" for the caller's own."""
    owner, at, part = account.partition("@")
    row = ask.context.catalog.select("consumers", owner) if owner else None
    return account if row is None else f"{row['username'] or row['custom_id'] or owner}{at}{part}"


def _limit(ask: Ask, mark: LimitMark) -> Facts:
    show = _units(mark.name)
    amounts = {name: show(getattr(mark, name)) for name in ("amount", "before", "held", "after")}
    return {"name": mark.name, "account": _account(ask, mark.account), **amounts, "resets_at": _second(mark.resets)}


def _second(at: int) -> str | None:
    return rfc3339(at * SECOND) if at else None


def _denial(row: UsageRow, ai: AiRecord | None) -> Facts:
    reason = row.deny_reason or ""
    facts: Facts = {"reason": reason, "meaning": MEANINGS.get(reason)}
    if ai is None or ai.denied_limit is None:
        return facts
    named = [mark for mark in ai.marks() if mark.name == ai.denied_limit]
    mark = next((each for each in named if each.before == ai.used), named[0] if named else None)
    show = _units(ai.denied_limit)
    facts |= {"limit": ai.denied_limit, "requested": show(ai.requested)}
    if mark is None:  # a gate: no counter, and no time, opens it
        return facts
    return facts | {
        "account": mark.account,
        "amount": show(mark.amount),
        "used": show(ai.used),
        "resets_at": _second(mark.resets),
        "passes_at": None if ai.wait == NEVER else rfc3339(row.at_ns + ai.wait),
    }


def _summary(row: UsageRow, ai: AiRecord | None, denied: Mapping[str, Any] | None) -> str:
    """One sentence for people."""
    if denied is not None:
        return _refused(row, ai, denied)
    if row.status in (0, CLIENT_GONE):
        return "Admitted; the client left before the answer was complete."
    if row.upstream_status is None and row.status >= 500:
        return f"Admitted, but not answered by the upstream: {row.status}."
    used = ""
    if ai is not None and ai.source != "none":
        total, out = ai.input + ai.cache_read + ai.cache_write, ai.output + ai.reasoning
        used = (
            f"; {total} tokens in and {out} out ({ai.source}) cost ${dollars(ai.cost)}, charged ${dollars(ai.charge)}"
        )
    return f"Admitted and answered with {row.status}{'' if row.complete else ', cut'}{used}."


def _guard(word: Mapping[str, Any]) -> str:
    if "threshold" not in word:
        return f"The guard {word['guard']} had denied it before"
    shadow = ", in shadow" if word["shadow"] else ""
    return f"The guard {word['guard']} counted {word['count']} ({word['action']} from {word['threshold']} on{shadow})"


def _refused(row: UsageRow, ai: AiRecord | None, denied: Mapping[str, Any]) -> str:
    text = f"Refused with {row.status} before the upstream was asked: {denied['meaning'] or denied['reason']}."
    if ai is not None and row.deny_reason in (ABNORMAL_USAGE, THROTTLED):
        return f"{text} {', '.join(map(_guard, told(ai.guard)))}."
    if ai is None or "amount" not in denied:
        return text
    text += f" {denied['limit']} of {denied['amount']}: {denied['used']} used, {denied['requested']} requested;"
    if denied["passes_at"] is None:
        endless = denied["limit"].endswith(("/run", "/token"))
        why = (
            "it has no window that would begin anew" if endless else "one request can't be larger than the whole limit"
        )
        return f"{text} it would never pass, {why}."
    return f"{text} it would have passed {duration(ai.wait)} later."
