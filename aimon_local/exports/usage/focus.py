"""FOCUS 1.2 (focus.finops.org), the FinOps open cost and usage specification: one charge a day, consumer and model.

``BilledCost`` is what the consumer is charged, so the dataset is the operator's bill to its consumers; what the calls
cost the operator stands in ``x_ProviderCost``. Monthly fees and included units are the bill's matter (``bill``), not of
single calls, so they are not here. All columns that 1.2 makes mandatory are there; custom ones begin with ``x_``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aimon_local.exports.usage.facts import ADMITTED, charge, cost, facts
from aimon_local.exports.usage.flat import line
from aimon_local.model.money import dollars

_DAY_NS = 86_400_000_000_000
_ISSUER = "aimon-local"

COLUMNS = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription"),
    *("ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit"),
    *("ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit"),
    *("ProviderName", "PublisherName", "ResourceId", "ResourceName", "ServiceCategory", "ServiceName"),
    *("ServiceSubcategory", "SkuId", "SubAccountId", "SubAccountName", "Tags"),
    *("x_Tier", "x_Agent", "x_Requests", "x_InputTokens", "x_OutputTokens", "x_ProviderCost", "x_Margin"),
)


@dataclass(slots=True)
class _Sum:
    """What one charge adds up."""

    requests: int = 0
    tokens: int = 0
    input: int = 0
    output: int = 0
    cost: int = 0
    charge: int = 0


_Key = tuple[int, str, str, str, str, str]  # day, consumer id, consumer, tier, agent, model


def lines(rows: Iterable[Mapping[str, Any]], source: str) -> Iterator[str]:
    """The header, and one line for each charge, by day, consumer and model."""
    sums: dict[_Key, _Sum] = {}
    for row in rows:
        if row["decision"] == ADMITTED:
            _add(sums, row)
    yield line(COLUMNS)
    for key in sorted(sums):
        record = _record(key, sums[key], source)
        yield line([record.get(name) for name in COLUMNS])


def _add(sums: dict[_Key, _Sum], row: Mapping[str, Any]) -> None:
    known = facts(row)
    words = (row["consumer_id"], row["consumer"], row["tier"], known["agent"], known["model"])
    key: Any = (row["at_ns"] // _DAY_NS, *(str(word or "") for word in words))
    one = sums.setdefault(key, _Sum())
    one.requests += 1
    one.tokens += known["tokens"]
    one.input += known["input_tokens"] + known["cache_read_tokens"] + known["cache_write_tokens"]
    one.output += known["output_tokens"] + known["reasoning_tokens"]
    one.cost += cost(row)
    one.charge += charge(row)


def _record(key: _Key, one: _Sum, source: str) -> dict[str, Any]:
    number, consumer_id, consumer, tier, agent, model = key
    day = datetime.fromtimestamp(number * 86_400, UTC)
    month = day.replace(day=1)
    next_month = (month + timedelta(days=32)).replace(day=1)
    quantity, unit = (one.tokens, "Tokens") if model else (one.requests, "Requests")
    billed = dollars(one.charge)
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), billed),
        "BillingAccountId": consumer_id or "anonymous",
        "BillingAccountName": consumer or "anonymous",
        "BillingAccountType": "Consumer",
        "BillingCurrency": "USD",
        "BillingPeriodStart": _moment(month),
        "BillingPeriodEnd": _moment(next_month),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{model or 'API requests'}: {quantity} {unit.lower()}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _moment(day),
        "ChargePeriodEnd": _moment(day + timedelta(days=1)),
        **dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), quantity),
        **dict.fromkeys(("ConsumedUnit", "PricingUnit"), unit),
        **dict.fromkeys(("InvoiceIssuerName", "ProviderName", "PublisherName"), _ISSUER),
        "ServiceCategory": "AI and Machine Learning" if model else "Integration",
        "ServiceSubcategory": "Generative AI" if model else "API Management",
        "ServiceName": model or "API",
        "SkuId": f"{tier or 'none'}/{model or 'requests'}",
        "SubAccountId": agent or None,
        "SubAccountName": agent or None,
        "ResourceId": source,
        "Tags": "{}",
        "x_Tier": tier or None,
        "x_Agent": agent or None,
        "x_Requests": one.requests,
        "x_InputTokens": one.input,
        "x_OutputTokens": one.output,
        "x_ProviderCost": dollars(one.cost),
        "x_Margin": _signed(one.charge - one.cost),
    }


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _signed(nano: int) -> str:
    return f"-{dollars(-nano)}" if nano < 0 else dollars(nano)
