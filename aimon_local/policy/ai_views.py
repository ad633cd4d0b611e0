"""What a caller may see of its tier: ``GET …/aimon/me``, and a provider's list of models cut to the tier's. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aimon_local.model.money import dollars
from aimon_local.policy.account import Account, Status
from aimon_local.policy.accounts import Month
from aimon_local.policy.ai_headers import moment, unit_of
from aimon_local.policy.call import Answer, BodyFilter, Call
from aimon_local.policy.terms import Terms

_NS = 1_000_000_000


def is_me(call: Call) -> bool:
    """Whether a caller asks about itself; behind any route, so that any key may ask."""
    return call.method == "GET" and call.path.endswith("/aimon/me")


def is_models(call: Call) -> bool:
    """Whether a call lists a provider's models."""
    return call.method == "GET" and call.path.endswith("/v1/models")


def me(call: Call, terms: Terms, accounts: Sequence[Account], month: Month) -> Answer:
    """Tier, limits, what is used and left of each, and the month's spend; asking counts nothing."""
    now, used = call.now_ns, month.used
    document = {
        "consumer": call.consumer.username or call.consumer.custom_id if call.consumer is not None else None,
        "tier": terms.tier.name,
        "plan": terms.plan.name,
        "zone": terms.tier.zone,
        "models": list(terms.tier.models),
        "limits": [_limit(status, now) for account in accounts for status in account.statuses(now)],
        "month": {
            "requests": used.requests,
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "fee": dollars(terms.plan.monthly_fee),
            "usage_charge": dollars(terms.plan.usage_charge(used)),
        },
    }
    return Answer(200, json.dumps(document, indent=2).encode() + b"\n", b"application/json")


def _limit(status: Status, now: int) -> dict[str, Any]:
    money = unit_of(status.name) in ("cost", "charge")
    show: Any = dollars if money else int
    return {
        "name": status.name,
        "amount": show(status.amount),
        "used": show(status.used),
        "remaining": show(status.remaining),
        "resets_in_seconds": -(-status.resets // _NS),
        "resets_at": moment(now, status.resets),
    }


def models_filter(terms: Terms) -> BodyFilter:
    """Takes models out of a list that the tier does not include; what is no such list passes as it is."""

    def cut(body: bytes) -> bytes:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return body
        rows = document.get("data") if isinstance(document, Mapping) else None
        if not isinstance(rows, list):
            return body
        kept = [row for row in rows if not isinstance(row, Mapping) or terms.allows_model(str(row.get("id")))]
        return json.dumps({**document, "data": kept}).encode()

    return cut
