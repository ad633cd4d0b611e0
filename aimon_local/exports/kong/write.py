"""Our rows as a document for decK, and what of them it can't say.

Secrets that are kept as hashes leave as named placeholders, which decK takes from its environment. The open-source
edition has no consumer groups: what a group brings is written to each of its members there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from aimon_local.exports.gaps import Gap
from aimon_local.exports.kong import tiers
from aimon_local.exports.kong.nest import Document, Row, Rows, nested, picked
from aimon_local.model.tier import Tier
from aimon_local.policy.tier_entities import given, read_tier
from aimon_local.policy.tiers import Amendment, override

Edition = Literal["oss", "enterprise"]
EDITIONS: tuple[Edition, ...] = ("oss", "enterprise")

KONG_KINDS = (
    *("services", "routes", "consumers", "consumer_groups", "consumer_group_consumers", "plugins"),
    *("keyauth_credentials", "basicauth_credentials", "jwt_secrets", "acls"),
    *("upstreams", "targets", "certificates", "snis", "ca_certificates"),
)
_SCOPES = ("service", "route", "consumer", "consumer_group")


@dataclass(frozen=True, slots=True)
class Exported:
    """A document, what it can't say, and the environment variables that its reader has to set (name → what it is)."""

    document: Document
    gaps: tuple[Gap, ...]
    variables: Mapping[str, str]


def write(rows: Mapping[str, Any], edition: Edition) -> Exported:
    """The document of ``rows``, a flat declarative document of ours (``GET /config``), for an edition of Kong."""
    writing = _Writing(rows, edition == "enterprise")
    return Exported(nested(writing.rows()), tuple(sorted(set(writing.gaps()))), writing.variables)


class _Writing:
    """One export: the rows as Kong shall have them."""

    def __init__(self, rows: Mapping[str, Any], enterprise: bool) -> None:
        self._given = rows
        self._enterprise = enterprise
        self.variables: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._consumers = {row["id"]: row for row in rows.get("consumers") or ()}
        self._groups = {row["id"]: row["name"] for row in rows.get("consumer_groups") or ()}
        self._tiers = {row["name"]: read_tier(row) for row in self._tier_rows() if not _scoped(row)}
        self._deals = {
            row["consumer"]: Amendment(row["name"], given(row), row["consumer"])
            for row in self._tier_rows()
            if row.get("consumer") and not row.get("route")
        }

    def rows(self) -> Rows:
        """Rows of Kong's kinds, tiers turned into plugins."""
        out = {kind: [dict(row) for row in self._given.get(kind) or ()] for kind in KONG_KINDS}
        out |= self._credentials(out)
        if self._enterprise:
            out["plugins"] += self._group_plugins()
        else:
            out["plugins"] = self._without_groups(out["plugins"])
            out["consumers"] = [self._tagged(row) for row in out["consumers"]]
            out["consumer_groups"] = out["consumer_group_consumers"] = []
        return out

    def gaps(self) -> Iterator[Gap]:
        """What the document can't say."""
        sold = {name for name in self._tiers if name in self._groups.values()}
        for name in sorted(sold):
            yield from tiers.gaps_of(self._tiers[name], self._enterprise)
        for row in self._tier_rows():
            if row.get("route"):
                why = "a limit beside the tier's, on one route alone, can't be said by a plugin of the same name"
                yield Gap(f"tier {row['name']}", "route", why, "put a plugin with the smaller limit on the route")
        if not self._enterprise:
            yield from self._edition_gaps(sold)
        for row in self._given.get("agents") or ():
            why = "Kong has no agents: no owner, scopes, runs or guards"
            yield Gap(f"agent {row['name']}", "agent", why, "its consumer and keys are there")

    def _edition_gaps(self, sold: set[str]) -> Iterator[Gap]:
        if self._groups:
            why = "the open-source edition has no consumer groups"
            yield Gap(
                "consumer groups", "groups", why, "their plugins and limits are on each member; new ones need them"
            )
        limited = {each for each in self._consumers if self._tier_of(each) is not None}
        for plugin in self._given.get("plugins") or ():
            placed = plugin.get("service") or plugin.get("route")
            if sold and limited and plugin["name"] == tiers.RATE and placed and not plugin.get("consumer"):
                why = "of plugins of one name Kong runs the nearest: a consumer's limit goes before this one"
                yield Gap("plugins", f"{tiers.RATE} on a service or route", why, "check which of the two you mean")

    # ---- tiers

    def _tier_rows(self) -> list[Row]:
        return list(self._given.get("tiers") or ())

    def _tier_of(self, consumer: str) -> Tier | None:
        """The tier of a consumer, with the deal made with it."""
        names = sorted(self._groups[each] for each in self._memberships(consumer))
        tier = next((self._tiers[name] for name in names if name in self._tiers), None)
        deal = self._deals.get(consumer)
        if deal is None:
            return tier
        return override(tier or Tier(deal.name), deal)

    def _memberships(self, consumer: str) -> list[str]:
        pairs = self._given.get("consumer_group_consumers") or ()
        return [each["consumer_group"] for each in pairs if each["consumer"] == consumer]

    def _group_plugins(self) -> list[dict[str, Any]]:
        """Enterprise: a tier's plugins on its group, a deal's on its consumer."""
        out = []
        for group, name in self._groups.items():
            if name in self._tiers:
                out += [_placed(each, consumer_group=group) for each in tiers.plugins_for(self._tiers[name], True)]
        for consumer in self._deals:
            tier = self._tier_of(consumer)
            assert tier is not None
            named = replace(tier, name=f"{tier.name}-{self._label(consumer)}")
            out += [_placed(each, consumer=consumer) for each in tiers.plugins_for(named, True)]
        return self._unless_taken(self._given.get("plugins") or (), out)

    def _without_groups(self, plugins: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Open source: what groups and tiers bring, on each consumer."""
        own = [each for each in plugins if not each.get("consumer_group")]
        for consumer in self._consumers:
            groups = sorted(self._memberships(consumer), key=self._groups.__getitem__)
            for group in groups:
                brought = [each for each in plugins if each.get("consumer_group") == group]
                moved = [{**each, "consumer_group": None, "consumer": consumer} for each in brought]
                own += self._unless_taken(own, moved)
            tier = self._tier_of(consumer)
            if tier is not None:
                own = self._joined(own, [_placed(each, consumer=consumer) for each in tiers.plugins_for(tier, False)])
        return own

    def _joined(self, own: list[dict[str, Any]], brought: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Kong runs one plugin of a name per place: two limits become one that has the smaller of each period."""
        out = list(own)
        for plugin in brought:
            at = next((at for at, each in enumerate(out) if _place(each) == _place(plugin)), None)
            if at is None:
                out.append(plugin)
            elif plugin["name"] == tiers.RATE:
                out[at] = {**out[at], "config": _smaller(out[at]["config"], plugin["config"])}
        return out

    def _unless_taken(self, own: Any, brought: list[dict[str, Any]]) -> list[dict[str, Any]]:
        taken = {_place(each) for each in own}
        return [each for each in brought if _place(each) not in taken]

    # ---- consumers

    def _label(self, consumer: str) -> str:
        row = self._consumers[consumer]
        return str(row.get("username") or row.get("custom_id") or row["id"])

    def _tagged(self, row: dict[str, Any]) -> dict[str, Any]:
        """A consumer that shows by a tag in which groups it was: ``group:free``."""
        names = {f"group:{self._groups[each]}" for each in self._memberships(row["id"])}
        tags = sorted({*(row.get("tags") or ()), *names})
        return {**row, "tags": tags} if names else row

    def _credentials(self, out: Rows) -> dict[str, list[dict[str, Any]]]:
        sealed = self._given.get("_credentials") == "hashed"
        secrets = {"basicauth_credentials": "password"} | ({"keyauth_credentials": "key"} if sealed else {})
        return {kind: self._hidden(kind, out[kind], field) for kind, field in secrets.items()}

    def _hidden(self, kind: str, rows: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
        """Credentials whose secret is a placeholder, numbered per consumer."""
        counts: dict[str, int] = {}
        out = []
        for row in sorted(rows, key=lambda row: (self._label(row["consumer"]), _said(kind, row, field))):
            label = self._label(row["consumer"])
            counts[label] = counts.get(label, 0) + 1
            name = f"DECK_{field.upper()}_{self._word(label)}_{counts[label]}"
            self.variables[name] = f"{field} {counts[label]} of the consumer {label}"
            out.append({**row, field: placeholder(name)})
        return out

    def _word(self, label: str) -> str:
        """A name as environment variables have them; of two that look alike the second is spelled out."""
        plain = "".join(each if each.isascii() and each.isalnum() else "_" for each in label).upper()
        if self._words.setdefault(plain, label) == label:
            return plain
        return "".join(each if each.isascii() and each.isalnum() else f"_{ord(each):x}_" for each in label)


def placeholder(variable: str) -> str:
    """decK's form for a value of the environment. A raw string of its template language: good in JSON and in YAML."""
    return "${{ env `" + variable + "` }}"


def _said(kind: str, row: Row, secret: str) -> str:
    """What tells a consumer's credentials apart, without the secret and what changes with each load."""
    return json.dumps({name: value for name, value in picked(kind, row).items() if name != secret}, sort_keys=True)


def _scoped(row: Row) -> bool:
    return bool(row.get("consumer") or row.get("route"))


def _placed(plugin: Row, **scope: str) -> dict[str, Any]:
    return {**plugin, **dict.fromkeys(_SCOPES), **scope}


def _place(plugin: Row) -> tuple[Any, ...]:
    return plugin["name"], *(plugin.get(scope) for scope in _SCOPES)


def _smaller(own: Row, brought: Row) -> dict[str, Any]:
    both = {
        name: min(value for value in (own.get(name), brought.get(name)) if value is not None)
        for name in tiers.PERIODS
        if own.get(name) is not None or brought.get(name) is not None
    }
    return {**own, **tiers.rising(both)}
