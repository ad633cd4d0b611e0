"""Makes what a script needs on a gateway, and takes it away again: tiers, prices, a route, consumers, keys, knobs.

Everything is named with the run's prefix, so that nothing of the gateway's own is touched. A gateway that was started
for the run needs no prefix: there the script's tiers and prices stand in for those of the same name. Each thing made
notes how it is undone, so that an end in the middle leaves nothing behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aimon_local.client.admin import AdminError, segment
from aimon_local.errors import ConfigError
from aimon_local.scenario.script import Actor, Script
from aimon_local.scenario.world import Door, World, near

KEY_NAMES = ("apikey", "x-api-key", "authorization")
ROUTE = "case"  # the name of the run's service and route, behind the prefix
Undo = tuple[str, str, Mapping[str, Any] | None]


@dataclass(slots=True)
class Held:
    """A key that a consumer has now."""

    consumer: str
    key: str
    id: str


@dataclass(slots=True)
class Cast:
    """What was made: who holds which key, where calls go."""

    prefix: str
    base: str  # what stands before each step's path
    holders: dict[str, list[Held]] = field(default_factory=dict)  # by actor
    tiers: dict[str, str] = field(default_factory=dict)  # the script's name → the gateway's


class Mint:
    """Makes things through the Admin API and the mock's control; ``undo`` takes them away, the last first."""

    def __init__(self, script: Script, world: World, admin: Door, mock: Door | None, prefix: str, remote: bool) -> None:
        self._script, self._world, self._admin, self._mock, self._remote = script, world, admin, mock, remote
        self.cast = Cast(prefix, script.route.rstrip("/") or f"/{prefix}{ROUTE}")
        self._undo: list[tuple[Door, Undo]] = []
        self._moved = False

    async def make(self) -> Cast:
        """All of it; AdminError or ConfigError: something can't be made."""
        await self._knobs()
        if self._script.clock:
            await self.clock("jump", self._script.clock)
        await self._offers()
        if not self._script.route:
            await self._route()
        for actor in self._script.actors:
            if not actor.same_as:
                await self._actor(actor)
        for actor in self._script.actors:
            if actor.same_as:
                self.cast.holders[actor.name] = self.cast.holders.get(actor.same_as, [])
        await self._scoped_tiers()
        await self._plugins()
        return self.cast

    async def undo(self) -> list[str]:
        """Take everything away; what can't be is said, and the rest goes on."""
        left = []
        for door, (method, path, body) in reversed(self._undo):
            try:
                await door.call(method, path, body)
            except AdminError as fault:
                if fault.status != 404:
                    left.append(str(fault))
        self._undo.clear()
        return left

    async def _made(self, path: str, body: Mapping[str, Any], gone: str) -> Any:
        """POST a thing; ``gone``: the collection under which it is deleted by its id."""
        made = await self._admin.call("POST", path, body)
        self._undo.append((self._admin, ("DELETE", f"{gone}/{made['id']}", None)))
        return made

    async def clock(self, verb: str, value: Any) -> None:
        """Move the gateway's clock; on a gateway of others it goes back to the true time at the end."""
        if not self._moved and not self._world.own:
            self._undo.append((self._admin, ("POST", "/clock", {"reset": True})))
        self._moved = True
        await self._admin.call("POST", "/clock", {verb: value})

    async def _knobs(self) -> None:
        if self._mock is None:
            if self._script.mock:
                raise ConfigError("the script sets knobs of the mock, which was not found", "give --mock-url")
            return
        before = await self._mock.call("GET", "/_mock/config")
        self._undo.append((self._mock, ("PUT", "/_mock/config", before)))
        if self._script.mock:
            await self._mock.call("PATCH", "/_mock/config", self._script.mock)

    # ---- tiers, plans, prices

    async def _offers(self) -> None:
        rows = self._script.offers
        plans = {row["name"] for kind, row in rows if kind == "price_plans"}
        for kind, row in rows:
            if kind == "model_prices":
                await self._price(row)
            elif kind == "price_plans":
                await self._named(kind, {**row, "name": self._name(row["name"])})
            elif not _is_scoped(row):
                await self._tier(row, plans)

    def _name(self, name: str) -> str:
        return f"{self.cast.prefix}{name}"

    async def _named(self, kind: str, row: Mapping[str, Any]) -> None:
        path = f"/{kind}/{segment(row['name'])}"
        await self._admin.call("PUT", path, {key: value for key, value in row.items() if key != "name"})
        self._undo.append((self._admin, ("DELETE", path, None)))

    async def _tier(self, row: Mapping[str, Any], plans: set[str]) -> None:
        name = self._name(row["name"])
        self.cast.tiers[row["name"]] = name
        plan = row.get("plan", "free")
        await self._named("tiers", {**row, "name": name, "plan": self._name(plan) if plan in plans else plan})
        self._undo.insert(-1, (self._admin, ("DELETE", f"/consumer_groups/{segment(name)}", None)))

    async def _scoped_tiers(self) -> None:
        """Rows that name a consumer (an actor's) or the run's route."""
        plans = {row["name"] for kind, row in self._script.offers if kind == "price_plans"}
        for kind, row in self._script.offers:
            if kind != "tiers" or not _is_scoped(row):
                continue
            plan = str(row.get("plan") or "")
            scope: dict[str, Any] = {}
            if row.get("consumer"):
                actor = row["consumer"].get("username", "")
                scope["consumer"] = {"username": self._holder(actor)}
            if row.get("route"):
                scope["route"] = {"name": self._name(ROUTE)}
            named = {**row, **scope, "name": self._name(row["name"])}
            await self._named("tiers", {**named, "plan": self._name(plan)} if plan in plans else named)

    def _holder(self, actor: str) -> str:
        """The consumer of an actor that a tier or plugin names."""
        held = self.cast.holders.get(actor)
        if not held:
            raise ConfigError(f"there is no actor {actor!r} with a consumer of its own", "name one of [actors]")
        return held[0].consumer

    async def _price(self, row: Mapping[str, Any]) -> None:
        """A line of the price book; there is one book, so on a gateway of others a line that differs is refused."""
        for line in await self._lines():
            if line["model"] != row["model"]:
                continue
            if self._world.own:
                await self._admin.call("DELETE", f"/model_prices/{line['id']}")
            elif all(line.get(key) == value for key, value in row.items()):
                return
            else:
                raise ConfigError(
                    f"this gateway has another price for the model {row['model']!r} already",
                    "run the script on a gateway of its own: --own",
                )
        await self._made("/model_prices", row, "/model_prices")

    async def _lines(self) -> list[Any]:
        page = await self._admin.call("GET", "/model_prices?size=1000")
        return list(page["data"])

    # ---- route, consumers, plugins

    async def _route(self) -> None:
        name = self._name(ROUTE)
        url = self._script.service.get("url") or await self._upstream()
        parts = urlsplit(url)
        near((parts.hostname or "", parts.port or 80), "the script's service", self._remote)
        service = {**self._script.service, "name": name, "url": url}
        await self._made("/services", service, "/services")
        await self._made(f"/services/{name}/routes", {"name": name, "paths": [self.cast.base]}, "/routes")
        key_auth = {"name": "key-auth", "config": {"key_names": list(KEY_NAMES)}}
        await self._made(f"/services/{name}/plugins", key_auth, "/plugins")

    async def _upstream(self) -> str:
        if self._world.mock is not None:
            return "http://{}:{}".format(*self._world.mock)
        raise ConfigError("the gateway's built-in upstream was not found", "give --mock-url, or a route in the script")

    async def _actor(self, actor: Actor) -> None:
        if actor.key == "none":
            return
        held = self.cast.holders[actor.name] = []
        for number in range(actor.consumers):
            name = actor.consumer or self._name(actor.name + (f"-{number + 1}" if actor.consumers > 1 else ""))
            if not actor.consumer:
                await self._made("/consumers", {"username": name}, "/consumers")
            if actor.tier:
                group = self.cast.tiers.get(actor.tier, actor.tier)
                try:
                    await self._admin.call("POST", f"/consumers/{segment(name)}/consumer_groups", {"group": group})
                except AdminError as fault:
                    raise ConfigError(f"[actors.{actor.name}] is of the tier {actor.tier!r}: {fault}", "") from fault
            held.append(await self.key(name))
            if actor.consumer:
                break
        if actor.key == "wrong":
            for one in held:
                one.key = "wrong-" + one.key

    async def key(self, consumer: str) -> Held:
        """A new key of a consumer."""
        path = f"/consumers/{segment(consumer)}/key-auth"
        made = await self._made(path, {}, path)
        return Held(consumer, made["key"], made["id"])

    async def _plugins(self) -> None:
        for plugin in self._script.plugins:
            kind, _, name = plugin.on.partition(":")
            if kind == "actor":
                path = f"/consumers/{segment(self._holder(name))}/plugins"
            elif kind == "tier":
                path = f"/consumer_groups/{segment(self.cast.tiers.get(name, name))}/plugins"
            elif kind == "service" and not self._script.route:
                path = f"/services/{self._name(ROUTE)}/plugins"
            else:
                raise ConfigError(f"a plugin can't be on {plugin.on!r}", "on = service, tier:NAME or actor:NAME")
            await self._made(path, {"name": plugin.name, "config": dict(plugin.config)}, "/plugins")


def _is_scoped(row: Mapping[str, Any]) -> bool:
    return bool(row.get("consumer") or row.get("route"))
