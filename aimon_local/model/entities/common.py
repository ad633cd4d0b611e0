"""Fields that many entities share. Descriptions are ours; names and attributes are Kong's."""

from typing import Any

from aimon_local.model.checks import check_header_name, check_name, check_path, check_tag
from aimon_local.model.schema import Field, foreign, integer, number, set_of, string

PROTOCOLS = ("grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp")
NO_EMPTY_SEGMENTS = ({"pattern": "//", "err": "must not have empty segments"},)

ID = string("id", uuid=True, auto=True, len_min=1, description="The identity of the entity, a UUID.")
CREATED_AT = integer("created_at", timestamp=True, auto=True, description="Set on creation, Unix seconds.")
UPDATED_AT = integer("updated_at", timestamp=True, auto=True, description="Set on every change, Unix seconds.")
CREATED_AT_MS = number("created_at", timestamp=True, auto=True, description="Set on creation, Unix seconds.")
UPDATED_AT_MS = number("updated_at", timestamp=True, auto=True, description="Set on every change, Unix seconds.")


def tags(**attrs: Any) -> Field:
    """``tags``; ``attrs`` go to its elements (Kong renders their ``len_min`` on some entities only)."""
    about = "Labels to filter lists by."
    return set_of("tags", string(check=check_tag, required=True, description="One label.", **attrs), description=about)


TAGS = tags(len_min=1)
BARE_TAGS = tags()


def name(field: str = "name", **attrs: Any) -> Field:
    """A unique name that stands for the id in paths."""
    return string(field, check=check_name, unique=True, len_min=1, description="A unique name, UTF-8 allowed.", **attrs)


def path(field: str, **attrs: Any) -> Field:
    """An absolute URL path."""
    return string(
        field,
        check=check_path,
        starts_with="/",
        match_none=NO_EMPTY_SEGMENTS,
        description="A URL path; starts with a slash.",
        **attrs,
    )


def header_name(field: str = "", **attrs: Any) -> Field:
    """The name of an HTTP header."""
    return string(field, check=check_header_name, description="The name of an HTTP header.", **attrs)


def owner(required: bool = True) -> Field:
    """The consumer that a credential belongs to and goes with."""
    return foreign("consumer", "consumers", required=required, on_delete="cascade")
