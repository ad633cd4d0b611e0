"""Snapshots and events as the gateway sends them, made by hand."""

import itertools

DAY = 1_795_478_400 * 10**9  # a midnight in UTC, nanoseconds
_ids = itertools.count(1)
NO_SUMS = {"allowed": 0, "denied": 0, "reasons": {}, "calls": 0, "input": 0, "output": 0, "cost": 0, "charge": 0}


def tier(name, consumers=1, **sums):
    return {
        "name": name, "consumers": consumers, "plan": name,
        "limits": [{"name": "requests/day", "amount": 100, "shadow": False}], **NO_SUMS, **sums,
    }  # fmt: skip


def limit(name, amount, used, held=0, resets_ns=DAY + 86_400 * 10**9, account="", shadow=False):
    return {
        "name": name, "account": account, "amount": amount, "used": used, "held": held, "resets_ns": resets_ns,
        "shadow": shadow,
    }  # fmt: skip


def consumer(name, tier="free", limits=(), **sums):
    return {"name": name, "id": f"id-{name}", "tier": tier, "limits": list(limits), **NO_SUMS, **sums}


def snapshot(number=0, at=DAY, tiers=None, consumers=(), models=(), **more):
    return {
        "number": number, "at": at, "since": at - at % (86_400 * 10**9), "version": "1.2.3", "pid": 7, "in_flight": 0,
        "resident_bytes": 40 << 20, "ledger_writable": True, "more": 0, "routes": {"r1": "demo"},
        "tiers": [tier("free"), tier("pro")] if tiers is None else tiers,
        "consumers": list(consumers), "models": list(models), **more,
    }  # fmt: skip


def event(  # noqa: PLR0917
    at_ns=DAY,
    consumer="ann",
    tier="free",
    deny_reason=None,
    model=None,
    tokens=0,
    cost=0,
    status=None,
    limits=(),
    **more,
):
    """The data of a request event; AI where a model is named or limits are."""
    ai = None
    if model is not None or limits:
        ai = {
            "model": model or "", "input": tokens // 2, "cache_read": 0, "cache_write": 0, "output": tokens - tokens // 2,
            "reasoning": 0, "cost": cost, "charge": 2 * cost, "shadow": [], "limits": list(limits),
        }  # fmt: skip
    number = next(_ids)
    return {
        "request_id": f"{number:032x}", "at_ns": at_ns, "consumer_id": consumer and f"id-{consumer}",
        "consumer": consumer, "credential_id": None, "tier": tier, "route_id": "r1", "service_id": "s1",
        "method": "POST", "status": status or (429 if deny_reason else 200),
        "decision": "deny" if deny_reason else "allow", "deny_reason": deny_reason, "complete": True,
        "upstream_status": None if deny_reason else 200, "gateway_us": 300, "upstream_us": 900, "total_us": 1500,
        "bytes_in": 10, "bytes_out": 20, "ai": ai, **more,
    }  # fmt: skip
