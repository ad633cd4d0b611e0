"""``POST /aimon/agent-tokens`` on the proxy: an owner mints a short-lived token for one of its agents, by its own key.

It stands where no route leads, as ``/aimon/me`` does; a route with this path goes before it.
"""

import json

from aimon_local.policy import reasons
from aimon_local.policy.agents.tokens import mint
from aimon_local.policy.call import NEED_BODY, Answer, Call, Outcome, Refuse
from aimon_local.policy.plan import Plan, make_plan
from aimon_local.policy.rule import Rule
from aimon_local.policy.tiering import given_key

PATH = "/aimon/agent-tokens"
_MOST = 16_384
_NS = 1_000_000_000


class Mint(Rule):
    """The one rule of that path."""

    __slots__ = ()
    max_body = (_MOST, Refuse(413, f"The body is larger than {_MOST} bytes", reasons.BODY_TOO_LARGE))

    def access(self, call: Call) -> Outcome:
        """The token, or why there is none."""
        given = given_key(call)
        if given is None:
            return Refuse(401, "No API key found in request", reasons.NO_KEY)
        credential = call.snapshot.key_credential(given.decode("utf-8", "surrogateescape"))
        if credential is None:
            return Refuse(401, "Unauthorized", reasons.INVALID_KEY)
        if credential.expires is not None and credential.expires * _NS <= call.now_ns:
            return Refuse(401, "Unauthorized", reasons.KEY_EXPIRED)
        if call.body is None and (call.chunked or call.content_length):
            return NEED_BODY
        return _minted(call, credential.consumer_id, credential.id)


def _minted(call: Call, owner_id: str, key_id: str) -> Outcome:
    try:
        asked = json.loads(call.body or b"{}")
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("agent"), str):
        return _fault(400, 'the body must be a JSON object that names an agent: {"agent": "NAME", "ttl": 900}')
    agents = call.snapshot.family.by_consumer.values()
    agent = next((each for each in agents if each.name == asked["agent"] and each.owner_id == owner_id), None)
    if agent is None:
        return _fault(404, f"this key's owner has no agent '{asked['agent']}'")
    made = mint(agent, asked, call.state.key, call.now_ns, call.tools.uuid(), key_id)
    if isinstance(made, str):
        return _fault(400, made)
    return Answer(201, json.dumps(made.facts()).encode(), b"application/json", ((b"Cache-Control", b"no-store"),))


def _fault(status: int, text: str) -> Answer:
    body = json.dumps({"message": text}).encode()
    return Answer(status, body, b"application/json", (), reasons.BAD_REQUEST)


_PLAN = make_plan(((0, Mint()),))


def plan_for(call: Call) -> Plan | None:
    """The plan of a request for a token; None: it is for another path."""
    return _PLAN if call.method == "POST" and call.path == PATH else None
