"""Agents as stored entities: which consumer acts for which, and how far.

An agent whose owner is deleted stays, stopped: its row must not vanish and leave a consumer behind that nobody answers
for. So the owner is a reference that is left as it is (``on_delete="leave"``).
"""

from aimon_local.model.entities import common
from aimon_local.model.money import check_money
from aimon_local.model.schema import Field, Schema, array, boolean, foreign, integer, number, record, set_of, string

_MOST = 1 << 53


def _patterns(name: str, about: str) -> Field:
    return array(name, string(len_min=1), description=f"{about} Patterns with * and ?; none: nothing.")


SCOPES = record(
    "scopes",
    _patterns("routes", "Names of routes."),
    _patterns("methods", "Methods."),
    _patterns("models", "Models."),
    _patterns("tools", "Names of tools that its calls may offer."),
    integer("max_output_tokens", between=[0, _MOST], description="The most output tokens; absent: as its tier says."),
    description="What it may: what is not named here is refused.",
)

AGENTS = Schema(
    "agents",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        common.name(required=True),
        foreign("consumer", "consumers", required=True, on_delete="cascade"),
        foreign("owner", "consumers", required=True, on_delete="leave"),
        boolean("enabled", required=True, default=True, description="Off: it is refused."),
        string("tier", len_min=1, description="The consumer group that it joins when it is made."),
        SCOPES,
        record(
            "limits",
            integer("requests", between=[0, _MOST], description="Requests of one run."),
            integer("tokens", between=[0, _MOST], description="Tokens of one run."),
            number("cost", check=check_money, description="Dollars of one run."),
            number("seconds", gt=0, description="From a run's first call."),
            integer("depth", between=[0, 1000], description="Calls that start calls; the first is at 0. Default 8."),
            integer("fanout", between=[0, 1_000_000], description="Calls that one call may start. Default 16."),
            number("idle_s", gt=0, description="Silence that ends a run without a name. Default 60."),
            description="How far one run may go.",
        ),
        number("tokens_since", between=[0, _MOST], description="Unix seconds: tokens minted before are void."),
        set_of("revoked_tokens", string(len_min=1), description="Ids of tokens that are void."),
        common.TAGS,
    ),
    endpoint_key="name",
    in_admin=True,
)
