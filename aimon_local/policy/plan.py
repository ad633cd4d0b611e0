"""The compiled rules of a (route, service, consumer, groups), in order, with one ready tuple per phase.

A phase that a rule doesn't override costs nothing: it isn't in that phase's tuple. Once an authentication rule has
set ``call.consumer``, the shell asks the snapshot for the consumer's plan and goes on with ``access_after``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aimon_local.policy.call import Refuse
from aimon_local.policy.rule import Rule

Placed = tuple[int, Rule]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rules look at a request; positions are places in the order of plugins."""

    rules: tuple[Placed, ...]
    access: tuple[Placed, ...]
    response: tuple[Rule, ...]
    body: tuple[Rule, ...]
    meter: tuple[Rule, ...]
    settle: tuple[Placed, ...]
    log: tuple[Rule, ...]
    shapes_answer: bool  # some rule has a response or a body phase
    max_body: tuple[int, Refuse] | None  # the first rule's that bounds request bodies
    _after: tuple[tuple[Placed, ...], ...]

    def access_after(self, position: int) -> tuple[Placed, ...]:
        """The access rules behind a position; -1: all of them."""
        after = self._after
        return after[position + 1] if position + 1 < len(after) else ()


def make_plan(rules: Iterable[Placed]) -> Plan:
    """The plan of some placed rules."""
    placed = tuple(sorted(rules, key=lambda pair: pair[0]))
    access = tuple(pair for pair in placed if type(pair[1]).access is not Rule.access)
    response = tuple(rule for _, rule in placed if type(rule).response is not Rule.response)
    body = tuple(rule for _, rule in placed if type(rule).body is not Rule.body)
    meter = tuple(rule for _, rule in placed if type(rule).meter is not Rule.meter)
    settle = tuple(pair for pair in placed if type(pair[1]).settle is not Rule.settle)
    log = tuple(rule for _, rule in placed if type(rule).log is not Rule.log)
    bound = next((rule.max_body for _, rule in placed if rule.max_body is not None), None)
    last = access[-1][0] if access else -1
    suffixes = [access[at:] for at in range(len(access) + 1)]  # shared: most places are empty
    after = tuple(suffixes[sum(pair[0] < start for pair in access)] for start in range(last + 1))
    return Plan(placed, access, response, body, meter, settle, log, bool(response or body), bound, after)


NO_PLAN = make_plan(())
"""Without any rule."""


def aftermath(plan: Plan) -> Plan:
    """What is left of a plan for a request that was answered before any plugin: the answer's edits and the logs."""
    return replace(plan, access=(), meter=(), settle=(), max_body=None, _after=())
