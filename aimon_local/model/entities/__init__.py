"""All kinds of entities by their DAO name. To add one: its table in a module here, and one line below."""

from collections.abc import Mapping

from aimon_local.model.entities.agents import AGENTS
from aimon_local.model.entities.consumers import CONSUMER_GROUPS, CONSUMERS, MEMBERSHIPS
from aimon_local.model.entities.credentials import ACLS, BASICAUTH_CREDENTIALS, JWT_SECRETS, KEYAUTH_CREDENTIALS
from aimon_local.model.entities.plugins import PLUGINS, plugin_schema
from aimon_local.model.entities.routes import ROUTES
from aimon_local.model.entities.services import SERVICES
from aimon_local.model.entities.tiers import MODEL_PRICES, PRICE_PLANS, TIERS
from aimon_local.model.entities.tls import CA_CERTIFICATES, CERTIFICATES, SNIS, TAGS
from aimon_local.model.entities.upstreams import TARGETS, UPSTREAMS
from aimon_local.model.schema import Schema

SCHEMAS: Mapping[str, Schema] = {
    schema.name: schema
    for schema in (
        CERTIFICATES,
        CA_CERTIFICATES,
        SNIS,
        SERVICES,
        ROUTES,
        CONSUMERS,
        CONSUMER_GROUPS,
        MEMBERSHIPS,
        UPSTREAMS,
        TARGETS,
        PLUGINS,
        KEYAUTH_CREDENTIALS,
        BASICAUTH_CREDENTIALS,
        JWT_SECRETS,
        ACLS,
        TIERS,
        PRICE_PLANS,
        MODEL_PRICES,
        AGENTS,
        TAGS,
    )
}

__all__ = ["PLUGINS", "SCHEMAS", "plugin_schema"]
