"""The same traffic under other tiers and prices: recorded calls decided again, by the engine that decided them. Pure.

Calls go through in the order of their arrivals, each settled at its recorded end, on accounts of their own that begin
empty with the month. What a call used is what the ledger says; of a call that was refused and would pass, nobody knows,
so its prompt's estimate is taken, and of the output that it asked for the share that admitted calls of its model used
(``Decided.assumed`` says so). Refusals that no tier made (keys, plugins, agents' scopes and runs, guards, a failed
upstream) stay as they were.

A law holds it: under the offer that was in force, nothing flips and every sum is the recorded one, unless limits had
counted calls that the ledger does not hold, or the offer changed meanwhile.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from aimon_local.model.tier import Mode
from aimon_local.model.tokens import TokenUsage
from aimon_local.policy.account import Account, Demand, Full, Grant, admit, settle
from aimon_local.policy.accounts import Accounts, Month
from aimon_local.policy.pricing import Totals
from aimon_local.policy.terms import Terms

_NS = 1_000_000_000
GATES = frozenset(
    {"route_not_allowed", "model_not_allowed", "prompt_too_large", "output_too_large", "model_not_priced"}
)
"""Deny reasons of gates; a limit's refusal is known by its limit (``Fact.limit``)."""
AGENTS = frozenset(
    {"agent_disabled", "owner_revoked", "token_revoked", "token_budget", "throttled", "abnormal_usage"}
    | {"scope_route", "scope_method", "scope_model", "scope_tool", "scope_output", "run_forged", "run_replayed"}
    | {"run_requests", "run_tokens", "run_cost", "run_time", "run_depth", "run_fanout"}
)
"""Deny reasons of agents, their runs and guards: no offer decides them, though their rows name a limit too."""


class Fact(NamedTuple):
    """One recorded call of a tier."""

    request_id: str
    at_ns: int
    end_ns: int
    consumer_id: str
    consumer: str
    tier: str
    route_id: str
    route: str
    model: str  # "": a plain call
    allowed: bool
    reason: str  # why not; "" where it was allowed
    limit: str  # of the tier, that refused it; "": no tier's limit did
    estimate: int  # prompt tokens, by our own count
    output: int  # tokens that were held for output, or would have been
    requests: int  # 1; 0: it was given back whole and counts on nothing
    usage: TokenUsage
    cost: int  # nano-dollars, corrections included
    charge: int

    @property
    def ours(self) -> bool:
        """Whether a tier decided it, so that another one may decide it otherwise."""
        return self.allowed or self.reason in GATES or (bool(self.limit) and self.reason not in AGENTS)


class Decided(NamedTuple):
    """A call under the other offer."""

    fact: Fact
    allowed: bool
    reason: str
    requests: int
    usage: TokenUsage
    cost: int
    charge: int
    assumed: bool  # what it used is a guess: nobody has seen it run


TermsOf = Callable[[Fact], Terms | None]
"""The other offer for a call; None: its tier is none any more, so it stays as it was."""


@dataclass(slots=True)
class _Running:
    """A call that the other offer admits, until its recorded end."""

    grant: Grant
    month: Month
    start: int
    totals: Totals
    terms: Terms
    usage: TokenUsage
    requests: int
    assumed: bool


@dataclass(slots=True)
class Shares:
    """How much of the output that was held calls really used, by model; for calls that never ran."""

    _held: dict[str, int] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> "Shares":
        """Of the calls that ran."""
        shares = cls()
        for fact in facts:
            if fact.allowed and fact.requests and fact.output:
                for key in (fact.model, ""):
                    shares._held[key] = shares._held.get(key, 0) + fact.output
                    shares._used[key] = shares._used.get(key, 0) + fact.usage.total_output
        return shares

    def output(self, model: str, held: int) -> int:
        """Tokens of ``held`` that a call of a model would use; all of them where no call of any model ran."""
        key = model if model in self._held else ""
        return held if key not in self._held else held * self._used[key] // self._held[key]


def decide(facts: Iterable[Fact], terms_of: TermsOf, shares: Shares) -> Iterator[Decided]:
    """Each call under the other offer; ``facts`` in the order of their arrivals. Ended ones come as they end."""
    replay = _Replay(terms_of, shares)
    for fact in facts:
        yield from replay.until(fact.at_ns)
        decided = replay.ask(fact)
        if decided is not None:
            yield decided
    yield from replay.until(None)


class _Replay:
    """One run."""

    def __init__(self, terms_of: TermsOf, shares: Shares) -> None:
        self._terms_of = terms_of
        self._shares = shares
        self._accounts = Accounts()
        self._ends: list[tuple[int, int, Fact, _Running]] = []
        self._count = 0

    def until(self, at_ns: int | None) -> Iterator[Decided]:
        """Settle what has ended by then; None: all."""
        while self._ends and (at_ns is None or self._ends[0][0] <= at_ns):
            _, _, fact, running = heapq.heappop(self._ends)
            yield self._settled(fact, running)

    def ask(self, fact: Fact) -> Decided | None:
        """Decide a call; None: it is admitted, and comes when it ends."""
        terms = self._terms_of(fact) if fact.ours else None
        if terms is None:
            return Decided(fact, fact.allowed, fact.reason, fact.requests, fact.usage, fact.cost, fact.charge, False)
        closed = _gate(terms, fact)
        if closed is not None:
            return _refused(fact, closed)
        output = min(fact.output, _most_output(terms, fact))
        usage = fact.usage
        if not fact.allowed:
            usage = TokenUsage(fact.estimate, output=self._shares.output(fact.model, output))
        demand, accounts, month = self._wants(terms, fact, output)
        got = admit(accounts, demand, fact.at_ns)
        if isinstance(got, Full):
            return _refused(fact, got.status.name)
        totals = Totals(1, demand.input_tokens, demand.output_tokens, demand.cost)
        month.hold(totals)
        requests = fact.requests if fact.allowed else 1
        running = _Running(got, month, month.start, totals, terms, usage, requests, not fact.allowed)
        self._count += 1
        heapq.heappush(self._ends, (max(fact.at_ns, fact.end_ns), self._count, fact, running))
        return None

    def _wants(self, terms: Terms, fact: Fact, output: int) -> tuple[Demand, list[Account], Month]:
        """What it can use at most, where it counts, its billing month."""
        for _ in self._accounts.count_late(fact.at_ns):
            pass  # a run stores nothing
        subject = fact.consumer_id
        accounts = [self._accounts.open(subject, terms.counted, terms.zone)]
        accounts += [self._accounts.open(f"{subject}@{each.key}", each.tier, each.zone) for each in terms.beside]
        month = self._accounts.month(subject, fact.at_ns, terms.zone)
        price = terms.book.find(fact.model, fact.at_ns // _NS) if fact.model else None
        most = 0 if price is None else price.rates.most(fact.estimate, output)
        totals = Totals(1, fact.estimate, output, most)
        return Demand(1, fact.estimate, output, most, month.most(terms.plan, totals)), accounts, month

    def _settled(self, fact: Fact, running: _Running) -> Decided:
        terms, usage, requests = running.terms, running.usage, running.requests
        price = terms.book.find(fact.model, fact.at_ns // _NS) if fact.model and requests else None
        cost = price.rates.cost(usage) if price is not None else 0
        used = usage if requests else TokenUsage()
        charge = running.month.settle(terms.plan, running.start, running.totals, used, cost, requests)
        demand = Demand(requests, used.total_input, used.total_output, cost, charge)
        if terms.tier.mode is Mode.ASYNC_COUNT and requests:
            self._accounts.later(running.grant, demand, fact.at_ns + _NS)
            settle(running.grant, Demand())
        else:
            settle(running.grant, demand)
        return Decided(fact, True, "", requests, used, cost, charge, running.assumed)


def _gate(terms: Terms, fact: Fact) -> str | None:
    """The gate that is closed to a call; None: all are open. Gates in shadow let it through."""
    tier, shadow = terms.tier, terms.tier.shadow
    if fact.route and "routes" not in shadow and not terms.allows_route(fact.route):
        return "routes"
    if not fact.model:
        return None
    if "models" not in shadow and not terms.allows_model(fact.model):
        return "models"
    if tier.max_prompt_tokens is not None and fact.estimate > tier.max_prompt_tokens and "prompt" not in shadow:
        return "max_prompt_tokens"
    too_much = tier.max_output_tokens is not None and fact.output > tier.max_output_tokens
    if too_much and not tier.clamp and "output" not in shadow:
        return "max_output_tokens"
    return None if terms.book.find(fact.model, fact.at_ns // _NS) is not None else "model_not_priced"


def _most_output(terms: Terms, fact: Fact) -> int:
    """The tier's and the model's bound of output; what ran under a wider one keeps what it used."""
    price = terms.book.find(fact.model, fact.at_ns // _NS) if fact.model else None
    known = [fact.output]
    if terms.tier.max_output_tokens is not None and terms.tier.clamp and "output" not in terms.tier.shadow:
        known.append(max(terms.tier.max_output_tokens, fact.usage.total_output))
    if price is not None and price.max_output is not None:
        known.append(max(price.max_output, fact.usage.total_output))
    return min(known)


def _refused(fact: Fact, limit: str) -> Decided:
    return Decided(fact, False, limit, 0, TokenUsage(), 0, 0, False)
