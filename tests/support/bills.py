"""A fixed ledger of one consumer, charged as the gateway would, behind a running gateway."""

import sqlite3
from contextlib import closing, contextmanager

from aimon_local.model.ai import AiRecord
from aimon_local.model.moment import moment
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.pricing import Component, PricePlan, Step, Totals
from aimon_local.storage.batch import Batch, Parties, commit, last_seq
from aimon_local.storage.chain import Chain
from tests.support.ledger import usage_row
from tests.support.live import GatewayProcess

FIELDS = {
    "monthly_fee": 29,
    "markup_percent": 150,
    "components": [
        {"unit": "requests", "included": 3, "steps": [{"up_to": 2, "price": 0.5}, {"price": 0.25}]},
        {"unit": "tokens", "included": 1000, "per": 1_000_000, "steps": [{"price": 3}]},
    ],
}
PLAN = PricePlan(
    "golden",
    29 * 10**9,
    (
        Component("requests", (Step(2, 5 * 10**8), Step(None, 25 * 10**7)), 3),
        Component("tokens", (Step(None, 3 * 10**9),), 1000, 1_000_000),
    ),
    15_000,
)
# Time, month in Tokyo, model, tokens (in, cached, out), cost, flags.
CALLS = [
    ("2026-02-28T14:59:59.999999999Z", "2026-02", "m-1", (700, 0, 70), 1001, ()),
    ("2026-02-28T15:00:00Z", "2026-03", "m-1", (400, 100, 33), 901, ()),
    ("2026-03-01T00:00:00Z", "2026-03", "", (0, 0, 0), 0, ()),
    ("2026-03-09T12:00:00Z", "2026-03", "m-2", (5000, 0, 1234), 123_457, ("reported_absent",)),
    ("2026-03-10T12:00:00Z", "2026-03", "m-2", (0, 0, 0), 0, ("released",)),
    ("2026-03-11T12:00:00Z", "2026-03", "m-1", (1, 2, 3), 7, ()),
    ("2026-03-12T12:00:00Z", "2026-03", "m-1", (1, 0, 1), 1, ()),
    ("2026-03-31T14:59:59Z", "2026-03", "m-2", (10, 0, 9), 55, ()),
    ("2026-03-31T15:00:00Z", "2026-04", "m-2", (99, 0, 9), 56, ()),
]


def ledger():
    """(row, record) of each call, charged as the gateway would, and one that was refused."""
    totals = {}
    for at, month, model, (into, cached, out), cost, flags in CALLS:
        before = totals.get(month, Totals())
        usage = TokenUsage(into, cached, 0, out)
        after = totals[month] = before.plus(0 if "released" in flags else 1, usage, cost)
        charge = PLAN.charge(before, after)
        source = "estimated" if "reported_absent" in flags else "reported"
        record = AiRecord("openai.chat", "golden", model, model, False, 1, 1, 1, 1, into, cached, 0, out, cost=cost)
        yield at, record._replace(charge=charge, source=source, flags=flags), "allow"
    refused = AiRecord("openai.chat", "golden", "m-1", None, False, 9, 9, 9, 9, denied_limit="requests/day")
    yield "2026-03-20T00:00:00Z", refused, "deny"


@contextmanager
def billed_gateway(data):
    """A gateway in whose ledger the calls of ``ann`` are; what commands need to find it."""
    with GatewayProcess(data) as running:
        running.write("POST", "/price_plans", {"name": "golden", **FIELDS})
        running.write("POST", "/tiers", {"name": "golden", "plan": "golden", "zone": "Asia/Tokyo"})
        who = running.write("POST", "/consumers", {"username": "ann"})["id"]
        running.write("POST", "/consumer_groups/golden/consumers", {"consumer": "ann"})
    with closing(sqlite3.connect(data / "aimon-local.db", isolation_level=None)) as db:
        chain, batch = Chain((data / "secret").read_bytes()), Batch()
        chain.find(db)
        for number, (at, record, decision) in enumerate(ledger()):
            row = usage_row(number, at_ns=moment(at, 0), consumer_id=who, consumer="ann", tier="golden")
            batch.rows.append(row._replace(decision=decision, deny_reason=None if decision == "allow" else "quota"))
            batch.ai.append((row.request_id, record))
        commit(db, batch, last_seq(db), Parties(), chain)
    with GatewayProcess(data) as running:
        yield running
