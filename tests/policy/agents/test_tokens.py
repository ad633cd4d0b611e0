"""Minting: a token is never wider than its agent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.agent import Agent, Scopes, scope_within
from aimon_local.policy.agents.signing import read_token
from aimon_local.policy.agents.tokens import mint

KEY = b"k" * 32
NOW = 1_700_000_000 * 10**9
AGENT = Agent("a", "bot", "c", "o", "acme", True, Scopes(("ai*",), ("POST",), ("m-*",), ("search",), 100))
PATTERNS = st.lists(st.sampled_from(["ai", "ai*", "*", "POST", "m-1", "m-*", "m?", "search", "rm"]), max_size=3)
SCOPES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("routes", "methods", "models", "tools"), PATTERNS)
    | {"max_output_tokens": st.integers(0, 200)},
)


@given(SCOPES, SCOPES)
def test_scopes_of_a_token_lie_within_the_agents(outer, inner):
    agent = Agent("a", "bot", "c", "o", "acme", True, Scopes.of(outer))
    made = mint(agent, {"scopes": inner}, KEY, NOW, "t", None)
    if isinstance(made, str):
        assert made.startswith("scopes.")
    else:
        assert scope_within(Scopes.of(made.claims["scopes"]), agent.scopes) is None
        assert read_token(KEY, made.token.encode()) == made.claims


def test_what_is_not_named_is_as_the_agent_has_it():
    made = mint(AGENT, {}, KEY, NOW, "t", "k")
    assert Scopes.of(made.claims["scopes"]) == AGENT.scopes
    assert (made.claims["exp"], made.claims["key"]) == (1_700_000_900, "k")
    assert set(made.facts()) == {"token", "jti", "agent", "owner", "exp", "scopes", "run", "budget"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ttl": 0}, "ttl: seconds"),
        ({"ttl": True}, "ttl: seconds"),
        ({"ttl": 10**9}, "ttl: seconds"),
        ({"run": "a.b"}, "run: a name"),
        ({"run": ""}, "run: a name"),
        ({"run": "\u00e4"}, "run: a name"),
        ({"budget": {}}, "budget: an object"),
        ({"budget": {"euro": 1}}, "budget: an object"),
        ({"budget": {"requests": -1}}, "budget.requests"),
        ({"budget": {"usd": "x"}}, "budget.usd"),
        ({"scopes": {"models": "m-1"}}, "scopes.models: a list"),
        ({"scopes": {"model": ["m-1"]}}, "scopes: an object"),
        ({"scopes": {"models": ["*"]}}, "is not within"),
        ({"scopes": {"max_output_tokens": 101}}, "may ask for 100"),
        ({"agents": "x"}, "agents: unknown field"),
    ],
)
def test_what_is_wrong_is_said(asked, said):
    assert said in mint(AGENT, asked, KEY, NOW, "t", None)


def test_a_budget_in_dollars_is_nano_dollars():
    made = mint(AGENT, {"budget": {"usd": 0.01, "tokens": 5}}, KEY, NOW, "t", None)
    assert made.claims["budget"] == {"tokens": 5, "cost": 10_000_000}
