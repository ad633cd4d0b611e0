"""Credentials of consumers. Password hashing and expiry are in ``model.special``."""

from aimon_local.model.entities import common
from aimon_local.model.pem import check_public_key
from aimon_local.model.schema import EntityRule, Field, Schema, string

ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"),
    *("PS256", "PS384", "PS512", "EdDSA"),
)
_WITH_PUBLIC_KEY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")

KEYAUTH_CREDENTIALS = Schema(
    "keyauth_credentials",
    (
        common.ID,
        common.CREATED_AT,
        common.owner(),
        string("key", unique=True, auto=True, len_min=1, required=False),
        common.TAGS,
        Field("ttl", "integer", {"between": [0, 100_000_000]}, hidden=True),
    ),
    endpoint_key="key",
)

BASICAUTH_CREDENTIALS = Schema(
    "basicauth_credentials",
    (
        common.ID,
        common.CREATED_AT,
        common.owner(),
        string("username", unique=True, len_min=1, required=True),
        string("password", encrypted=True, len_min=1, required=True),
        common.BARE_TAGS,
    ),
    endpoint_key="username",
)

JWT_SECRETS = Schema(
    "jwt_secrets",
    (
        common.ID,
        common.CREATED_AT,
        common.owner(),
        string("key", unique=True, auto=True, len_min=1, required=False),
        string("secret", auto=True, len_min=1),
        string("rsa_public_key", check=check_public_key, len_min=1),
        string("algorithm", default="HS256", one_of=list(ALGORITHMS), len_min=1),
        common.BARE_TAGS,
    ),
    checks=(
        EntityRule(
            "conditional",
            {
                "if_field": "algorithm",
                "if_match": {"match_any": {"patterns": [f"^{name}$" for name in _WITH_PUBLIC_KEY]}},
                "then_field": "rsa_public_key",
                "then_match": {"required": True},
            },
        ),
    ),
    endpoint_key="key",
)

ACLS = Schema(
    "acls",
    (
        common.ID,
        common.CREATED_AT,
        common.owner(),
        string("group", len_min=1, required=True),
        common.BARE_TAGS,
    ),
    composite_unique=("consumer", "group"),
)
