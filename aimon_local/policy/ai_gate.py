"""The gates of a tier that need no counter: route, models, price, sizes. And what a call that passes them asks for.

``judge`` is pure: a body's document in, an ``Ask`` (what to reserve, what to send upstream) or a ``Blocked`` out. A
gate in shadow lets a call through and is named in the ask.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from aimon_local.metering.bounds import bounded, writes
from aimon_local.metering.dialect import AiFacts, BadBody, Dialect
from aimon_local.metering.document import scanned
from aimon_local.policy.account import Demand
from aimon_local.policy.pricing import ModelPrice
from aimon_local.policy.terms import Terms

OUTPUT = 16_384  # tokens held for output where neither client, nor tier, nor price book says how much there can be
_FREE = "anthropic.count_tokens"  # counts and uses none


@dataclass(frozen=True, slots=True)
class Blocked:
    """A refusal by a gate."""

    reason: str  # see ai_refusals.TABLE
    message: str
    param: str | None = None
    gate: str | None = None  # the tier's word for it
    requested: int = 0
    facts: AiFacts | None = None  # what the call asked for, where its body could be read


class Ask(NamedTuple):
    """What a call asks for."""

    facts: AiFacts
    price: ModelPrice | None  # None: it uses no tokens
    output: int  # tokens to hold for all choices
    document: Mapping[str, Any]  # what goes upstream; the given object where nothing is to be changed
    shadow: tuple[str, ...] = ()  # gates in shadow that would have refused it

    @property
    def demand(self) -> Demand:
        """The most that it can use; the charge is the month's matter."""
        if self.price is None:
            return Demand()
        prompt = self.facts.prompt_tokens
        return Demand(1, prompt, self.output, self.price.rates.most(prompt, self.output))


class _Twice(ValueError):
    """A name comes twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are unique: of two, we would judge one and the provider might take the other."""
    out = dict(pairs)
    if len(out) != len(pairs):
        raise _Twice
    return out


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def parse(body: bytes) -> Mapping[str, Any] | Blocked:
    """A body as a JSON object (RFC 8259, UTF-8) whose names are unique."""
    try:
        document = scanned(body.decode(), _DECODER)
    except _Twice:
        return Blocked("bad_request", "A name comes twice in one object of the JSON body of your request.")
    except (ValueError, RecursionError):
        return Blocked("bad_request", "We could not parse the JSON body of your request.")
    if isinstance(document, dict):
        return document
    return Blocked("bad_request", "The body of the request must be a JSON object.")


def judge(
    terms: Terms, dialect: Dialect, document: Mapping[str, Any], now: int, prompt_tokens: int | None = None
) -> Ask | Blocked:
    """All gates in order; ``now`` is Unix seconds, for the price that is in force. ``prompt_tokens``: take these in
    place of our estimate.
    """
    facts = dialect.read(document)
    if isinstance(facts, BadBody):
        return Blocked("bad_request", facts.message, facts.param)
    if prompt_tokens is not None:
        facts = facts._replace(prompt_tokens=prompt_tokens)
    shadow = []
    for gate, blocked in _refusals(terms, facts):
        if gate not in terms.tier.shadow:
            return replace(blocked, facts=facts)
        shadow.append(gate)
    price = None if facts.dialect == _FREE else terms.book.find(facts.model, now)
    if price is None and facts.dialect != _FREE:
        message = f"The model '{facts.model}' has no price here, and what can't be priced is not served."
        return Blocked("model_not_priced", message, "model", "models", facts=facts)
    output = _output(terms, facts, price)
    sent = document if output is None else bounded(facts.dialect, document, output)
    held = (output if output is not None else _unbounded(facts, price)) * facts.choices
    return Ask(facts, price, held, dialect.prepare(sent, facts), tuple(shadow))


def _refusals(terms: Terms, facts: AiFacts) -> list[tuple[str, Blocked]]:
    """Every gate that is closed to a call, the most telling first."""
    tier, out = terms.tier, []
    if not terms.allows_model(facts.model):
        message = f"The tier '{tier.name}' does not include the model '{facts.model}'."
        out.append(("models", Blocked("model_not_allowed", message, "model", "models")))
    most = tier.max_prompt_tokens
    if most is not None and facts.prompt_tokens > most:
        message = f"The prompt has about {facts.prompt_tokens} tokens; the tier '{tier.name}' allows {most}."
        out.append(("prompt", Blocked("prompt_too_large", message, None, "max_prompt_tokens", facts.prompt_tokens)))
    wish, most = facts.max_output, tier.max_output_tokens
    if not tier.clamp and wish is not None and most is not None and wish > most:
        message = f"{wish} output tokens were asked for; the tier '{tier.name}' allows {most}."
        out.append(("output", Blocked("output_too_large", message, None, "max_output_tokens", wish)))
    return out


def _output(terms: Terms, facts: AiFacts, price: ModelPrice | None) -> int | None:
    """Output tokens per choice that go upstream as a bound; None: nobody but the model bounds them."""
    if not writes(facts.dialect):
        return 0
    known = [most for most in (facts.max_output, _tier_bound(terms)) if most is not None]
    if not known:
        return None
    if price is not None and price.max_output is not None:
        known.append(price.max_output)
    return min(known)


def _tier_bound(terms: Terms) -> int | None:
    tier = terms.tier
    return tier.max_output_tokens if tier.clamp and "output" not in tier.shadow else None


def _unbounded(facts: AiFacts, price: ModelPrice | None) -> int:
    return price.max_output if price is not None and price.max_output is not None else OUTPUT
