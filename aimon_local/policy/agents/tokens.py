"""Short-lived tokens of agents: what may be minted, and whether one that comes is good. Pure.

A token can do no more than its agent: wider scopes are refused when it is minted, and where it is used both are asked,
so an agent that was narrowed since narrows its tokens too. It ends with its time, its budget, its agent, its owner, the
key that it was minted from, or its own revocation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimon_local.model.agent import LISTS, Agent, Scopes, scope_within
from aimon_local.model.money import usd
from aimon_local.policy import reasons
from aimon_local.policy.agents.signing import ISSUER, read_token, token_text
from aimon_local.policy.call import Call, Refuse, header
from aimon_local.policy.nouns import Credential

KIND = "agent-token"
MOST_S = 86_400
DEFAULT_S = 900
_NS = 1_000_000_000
_ASKED = ("agent", "ttl", "scopes", "run", "budget")
_BUDGET = ("requests", "tokens", "usd")
_NAME = 64


@dataclass(frozen=True, slots=True)
class Minted:
    """A new token."""

    token: str
    claims: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """As the two doors answer."""
        told = {name: self.claims[name] for name in ("jti", "agent", "owner", "exp", "scopes")}
        return {"token": self.token, **told, "run": self.claims.get("run"), "budget": self.claims.get("budget")}


def mint(agent: Agent, asked: Mapping[str, Any], secret: bytes, now: int, id_: str, parent: str | None) -> Minted | str:
    """A token for an agent, or what is wrong with what was asked. ``parent``: id of the owner's key; None: operator."""
    if not agent.enabled:
        return f"agent '{agent.name}' is disabled"
    unknown = next((name for name in asked if name not in _ASKED), None)
    if unknown is not None:
        return f"{unknown}: unknown field; known: {', '.join(_ASKED)}"
    ttl, run = asked.get("ttl", DEFAULT_S), asked.get("run")
    if not _whole(ttl) or not 1 <= ttl <= MOST_S:
        return f"ttl: seconds, from 1 to {MOST_S}"
    if run is not None and not (isinstance(run, str) and 0 < len(run) <= _NAME and _plain(run)):
        return f"run: a name of letters, digits, - and _, at most {_NAME}"
    budget = _budget(asked.get("budget"))
    scopes = _scopes(asked.get("scopes"), agent.scopes)
    if isinstance(budget, str) or isinstance(scopes, str):
        return budget if isinstance(budget, str) else str(scopes)
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "jti": id_,
        "sub": agent.consumer_id,
        "agent": agent.name,
        "owner": agent.owner_id,
        "iat": now / _NS,
        "exp": now // _NS + ttl,
        "scopes": scopes.facts(),
    }
    given = (("run", run), ("budget", budget), ("key", parent))
    claims |= {name: value for name, value in given if value is not None}
    return Minted(token_text(secret, claims), claims)


def _scopes(given: Any, outer: Scopes) -> Scopes | str:
    if given is None:
        return outer
    if not isinstance(given, Mapping) or any(name not in (*LISTS, "max_output_tokens") for name in given):
        return f"scopes: an object of {', '.join(LISTS)} and max_output_tokens"
    for name in LISTS:
        value = given.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            return f"scopes.{name}: a list of patterns"
    most = given.get("max_output_tokens", outer.max_output_tokens)
    if most is not None and not (_whole(most) and most >= 0):
        return "scopes.max_output_tokens: a whole number"
    # What is not named stays as the agent has it: a token is narrowed by what it names.
    scopes = Scopes.of({**outer.facts(), **given, "max_output_tokens": most})
    fault = scope_within(scopes, outer)
    return scopes if fault is None else f"scopes.{fault}"


def _budget(given: Any) -> dict[str, Any] | str | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given or any(name not in _BUDGET for name in given):
        return f"budget: an object of {', '.join(_BUDGET)}"
    for name in ("requests", "tokens"):
        if name in given and not (_whole(given[name]) and given[name] >= 0):
            return f"budget.{name}: a whole number"
    try:
        money = {"cost": usd(given["usd"], "budget.usd")} if "usd" in given else {}
    except ValueError as fault:
        return str(fault)
    return {name: given[name] for name in ("requests", "tokens") if name in given} | money


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(text: str) -> bool:
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def accept(call: Call, key: bytes) -> Credential | Refuse | None:
    """The credential that a token stands for; None: the text is no token of ours."""
    claims = read_token(call.state.key, key)
    if claims is None:
        return None
    agent = call.snapshot.family.by_consumer.get(str(claims.get("sub")))
    if agent is None or agent.owner_id != claims.get("owner"):
        return _void("The token's agent is not there any more", reasons.INVALID_KEY)
    if claims["exp"] * _NS <= call.now_ns:
        return _void("The token's time is over", reasons.KEY_EXPIRED)
    jti, parent = str(claims["jti"]), claims.get("key")
    if jti in agent.revoked or claims["iat"] < agent.tokens_since:
        return _void("The token was revoked", reasons.TOKEN_REVOKED)
    if parent is not None and not call.snapshot.family.lives(agent.owner_id, parent, call.now_ns // _NS):
        return _void("The owner's key that the token was minted from was revoked", reasons.TOKEN_REVOKED)
    return Credential(KIND, jti, agent.consumer_id, header("X-Credential-Identifier", jti), claims["exp"], claims)


def _void(text: str, reason: str) -> Refuse:
    return Refuse(401, text, reason, ((b"WWW-Authenticate", b"Key"),))
