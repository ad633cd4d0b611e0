"""What of a call an agent's scopes refuse: route and method before the body, models, tools and output with it. Pure.

A token's scopes are asked beside its agent's, so the narrower one holds.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aimon_local.metering.dialect import AiFacts
from aimon_local.model.agent import Scopes
from aimon_local.policy import reasons
from aimon_local.policy.call import Call
from aimon_local.policy.terms import matches


class Refused(NamedTuple):
    """Why: the reason's word, a sentence, and the field of the body that is meant."""

    reason: str
    text: str
    param: str | None = None


def of_head(name: str, scopes: Iterable[Scopes], call: Call) -> Refused | None:
    """Route and method."""
    route = call.match.route if call.match is not None else None
    way = (route.name or route.id) if route is not None else ""
    for each in scopes:
        if route is not None and not matches(each.routes, way):
            return Refused(reasons.SCOPE_ROUTE, f"The agent '{name}' may not use the route '{way}'.")
        if not matches(each.methods, call.method):
            return Refused(reasons.SCOPE_METHOD, f"The agent '{name}' may not use the method {call.method}.")
    return None


def of_body(name: str, scopes: Iterable[Scopes], facts: AiFacts) -> Refused | None:
    """Model, tools, output."""
    for each in scopes:
        if not matches(each.models, facts.model):
            return Refused(reasons.SCOPE_MODEL, f"The agent '{name}' may not use the model '{facts.model}'.", "model")
        tool = next((tool for tool in facts.tools if not matches(each.tools, tool)), None)
        if tool is not None:
            return Refused(reasons.SCOPE_TOOL, f"The agent '{name}' may not offer the tool '{tool}'.", "tools")
        most, wish = each.max_output_tokens, facts.max_output
        if most is not None and wish is not None and wish > most:
            text = f"{wish} output tokens were asked for; the agent '{name}' may ask for {most}."
            return Refused(reasons.SCOPE_OUTPUT, text)
    return None


def most_output(scopes: Iterable[Scopes]) -> int | None:
    """The most output tokens that all allow; None: they leave it open."""
    known = [each.max_output_tokens for each in scopes if each.max_output_tokens is not None]
    return min(known, default=None)
