"""Scripts and facts that several tests use."""

from aimon_local.scenario.facts import Fact
from aimon_local.scenario.read import parse

HEAD = """
[actors.a]
iterations = 2
[[actors.a.steps]]
path = "/get"
"""


def script(text=HEAD):
    return parse(text, "case.toml")


def fact(**fields):
    """A call that went well, but for what is said."""
    made = {
        "actor": "a", "tier": "t", "consumer": "c", "phase": "", "step": "s", "model": "m", "iteration": 0, "attempt": 0,
        "due": 0.0, "sent": 0.0, "first_byte": 0.01, "ended": 0.02, "status": 200,
    }  # fmt: skip
    return Fact(**{**made, **fields})


def row(decision="allow", reason=None, **ai):
    """A ledger row with what the metrics read."""
    names = ("input", "cache_read", "cache_write", "output", "reasoning", "cost", "charge")
    used = {**dict.fromkeys(names, 0), "limits": [], "shadow": []}
    return {"decision": decision, "deny_reason": reason, "complete": True, "ai": {**used, **ai}}


def mark(name, amount, resets=100, account=""):
    return {"name": name, "account": account, "amount": amount, "before": 0, "held": 0, "after": 0, "resets": resets}
