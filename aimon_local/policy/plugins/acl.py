"""acl: which groups may use a route, or which may not. It needs an authentication plugin before it."""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.schema import EntityRule, array, boolean, record, string
from aimon_local.policy import reasons
from aimon_local.policy.call import Call, Header, Outcome, Refuse
from aimon_local.policy.entities import field_line
from aimon_local.policy.rule import PluginType, Rule, Scope

_REMEMBERED = 1024  # header lines by groups
_OWN, _GIVEN = "X-Consumer-Groups", "X-Authenticated-Groups"
_REPLACED = frozenset((_OWN.lower().encode(), _GIVEN.lower().encode()))

_UNKNOWN = Refuse(401, "Unauthorized", reasons.NO_CONSUMER)
_DENIED = Refuse(403, "You cannot consume this service", reasons.ACL_DENIED)


class Acl(Rule):
    """One configured instance."""

    __slots__ = ("_always_given", "_denies", "_hides", "_lines", "_listed")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._denies = bool(config.get("deny"))
        self._listed = frozenset((config["deny"] if self._denies else config.get("allow")) or ())
        self._hides: bool = config["hide_groups_header"]
        self._always_given: bool = config["always_use_authenticated_groups"]
        self._lines: dict[tuple[str, tuple[str, ...]], Header] = {}

    def access(self, call: Call) -> Outcome:
        """Compare the caller's groups with the list; tell the upstream which they are."""
        found = self._groups(call)
        if isinstance(found, Refuse):
            return found
        name, groups = found
        if self._listed.isdisjoint(groups) is not self._denies:
            return _DENIED
        if not self._hides:
            self._tell(call, name, groups)
        return None

    peek = access  # it counts nothing

    def _groups(self, call: Call) -> tuple[str, tuple[str, ...]] | Refuse:
        """The groups that count: those that authentication has given to who has no credential, else the consumer's."""
        consumer = call.consumer
        proven = call.credential is not None
        if call.groups is not None and (consumer is None or not proven or self._always_given):
            return _GIVEN, call.groups
        if consumer is not None and (consumer.groups or self._denies):
            return _OWN, consumer.groups
        return _DENIED if proven else _UNKNOWN

    def _tell(self, call: Call, name: str, groups: tuple[str, ...]) -> None:
        line = self._lines.get((name, groups))
        if line is None:
            if len(self._lines) >= _REMEMBERED:
                self._lines.clear()
            line = self._lines[name, groups] = field_line(name, ", ".join(groups))
        call.fields = [field for field in call.fields if field[0] not in _REPLACED]
        call.fields.append(line)


PLUGIN = PluginType(
    "acl",
    950,
    record(
        "config",
        array("allow", string()),
        array("deny", string()),
        boolean("hide_groups_header", required=True, default=False),
        boolean("always_use_authenticated_groups", required=True, default=False),
        required=True,
    ),
    Acl,
    no_consumer=True,
    checks=(
        EntityRule("only_one_of", ["config.allow", "config.deny"]),
        EntityRule("at_least_one_of", ["config.allow", "config.deny"]),
    ),
)
