"""Consumers and consumer groups. Groups are Kong's Enterprise entity (3.4 and later); tiers are built on them."""

from aimon_local.model.entities import common
from aimon_local.model.schema import EntityRule, Schema, foreign, string

CONSUMERS = Schema(
    "consumers",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        string("username", unique=True, len_min=1, description="A unique name."),
        string("custom_id", unique=True, len_min=1, description="The id that another system gave."),
        common.TAGS,
    ),
    checks=(EntityRule("at_least_one_of", ["custom_id", "username"]),),
    endpoint_key="username",
)

CONSUMER_GROUPS = Schema(
    "consumer_groups",
    (common.ID, common.CREATED_AT, common.UPDATED_AT, common.name(required=True), common.TAGS),
    endpoint_key="name",
    in_admin=False,
)

MEMBERSHIPS = Schema(
    "consumer_group_consumers",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        foreign("consumer_group", "consumer_groups", required=True, on_delete="cascade"),
        foreign("consumer", "consumers", required=True, on_delete="cascade"),
    ),
    composite_unique=("consumer_group", "consumer"),
    in_admin=False,
)
