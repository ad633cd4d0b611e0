"""Which instance of a plugin acts: one per plugin and request, the most specific one (Kong's pick order).

``LEVELS`` is the whole law. An instance stands at the level of exactly the scopes that it sets. Limits never add up:
the consumer's instance replaces the service's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

ROUTE, SERVICE, CONSUMER, GROUP = 1, 2, 4, 8

# Most specific first. Kong knows no instance of a consumer and a group at once; it is taken here as the consumer's own,
# as long as the consumer is in the group, so that none is stored and silently never used.
LEVELS = (
    ROUTE | SERVICE | CONSUMER | GROUP,
    ROUTE | SERVICE | CONSUMER,
    ROUTE | SERVICE | GROUP,
    ROUTE | CONSUMER | GROUP,
    ROUTE | CONSUMER,
    SERVICE | CONSUMER | GROUP,
    SERVICE | CONSUMER,
    ROUTE | GROUP,
    SERVICE | GROUP,
    ROUTE | SERVICE,
    CONSUMER | GROUP,
    CONSUMER,
    GROUP,
    ROUTE,
    SERVICE,
    0,
)

ScopeKey = tuple[str | None, str | None, str | None, str | None]
"""Ids of route, service, consumer and group; None: not limited to one."""


def keys(route: str | None, service: str | None, consumer: str | None, groups: Sequence[str]) -> Iterator[ScopeKey]:
    """The scopes to look for, in order. ``groups``: the consumer's, in the order in which they count (by name)."""
    ids = ((ROUTE, route), (SERVICE, service), (CONSUMER, consumer), (GROUP, groups))
    absent = sum(scope for scope, value in ids if not value)
    for level in LEVELS:
        if level & absent:
            continue
        for group in groups if level & GROUP else (None,):
            yield (
                route if level & ROUTE else None,
                service if level & SERVICE else None,
                consumer if level & CONSUMER else None,
                group,
            )


def pick(
    instances: Mapping[ScopeKey, T],
    route: str | None,
    service: str | None,
    consumer: str | None,
    groups: Sequence[str] = (),
) -> T | None:
    """The instance that acts, of one plugin's, or None."""
    for key in keys(route, service, consumer, groups):
        found = instances.get(key)
        if found is not None:
            return found
    return None
