"""Certificates, authorities and server names. Kept and shown; the proxy here listens in plain HTTP."""

from aimon_local.model.address import check_wildcard_host
from aimon_local.model.checks import check_tag
from aimon_local.model.entities import common
from aimon_local.model.pem import check_certificate, check_key
from aimon_local.model.schema import EntityRule, Schema, foreign, string

CERTIFICATES = Schema(
    "certificates",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        string("cert", check=check_certificate, required=True, description="A PEM certificate."),
        string("key", check=check_key, required=True, encrypted=True, description="Its PEM key."),
        string("cert_alt", check=check_certificate, required=False, description="A second certificate."),
        string("key_alt", check=check_key, required=False, encrypted=True, description="The second's key."),
        common.TAGS,
    ),
    checks=(EntityRule("mutually_required", ["cert_alt", "key_alt"]),),
)

CA_CERTIFICATES = Schema(
    "ca_certificates",
    (
        common.ID,
        common.CREATED_AT,
        common.UPDATED_AT,
        string("cert", check=check_certificate, required=True, description="A PEM certificate."),
        string("cert_digest", unique=True, description="The SHA-256 of the certificate."),
        common.TAGS,
    ),
)

SNIS = Schema(
    "snis",
    (
        common.ID,
        string("name", check=check_wildcard_host, unique=True, required=True, description="A server name."),
        common.CREATED_AT,
        common.UPDATED_AT,
        common.TAGS,
        foreign("certificate", "certificates", required=True, default=None, description="Its certificate."),
    ),
    endpoint_key="name",
)

TAGS = Schema(
    "tags",
    (
        string("tag", check=check_tag, len_min=1, required=True, description="The label."),
        string("entity_name", required=True, description="The kind of the labelled entity."),
        string("entity_id", uuid=True, auto=True, required=True, description="Its id."),
    ),
)
