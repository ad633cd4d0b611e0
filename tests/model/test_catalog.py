import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.special import password_hash
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds
from tests.support.plugin_tables import PLUGIN_SCHEMAS

SECOND = 1_000_000_000
NOBODY = "00000000-0000-4000-8000-0000000000ff"


class World:
    """A catalog that takes every allowed write at once; a refusal comes back as it is."""

    def __init__(self, seals=None):
        self.catalog = Catalog(SCHEMAS, PLUGIN_SCHEMAS, seals or {})
        self.ids = CountingIds()
        self.now = NOW

    def done(self, plan):
        if isinstance(plan, Violation):
            return plan
        self.catalog.apply(plan.changes)
        return None if plan.entity is None else dict(plan.entity)

    def add(self, kind, **data):
        return self.done(self.catalog.insert(kind, data, self.now, self.ids))

    def patch(self, kind, key, data, **more):
        return self.done(self.catalog.update(kind, key, data, self.now, self.ids, **more))

    def put(self, kind, key, data, **more):
        return self.done(self.catalog.upsert(kind, key, data, self.now, self.ids, **more))

    def remove(self, kind, key, **more):
        return self.done(self.catalog.delete(kind, key, **more))


@pytest.fixture
def world():
    return World()


def test_planning_changes_nothing(world):
    plan = world.catalog.insert("services", {"host": "h"}, NOW, world.ids)
    assert world.catalog.count("services") == 0
    assert [change.op for change in plan.changes] == ["put"]


def test_references_by_name_become_ids(world):
    service = world.add("services", name="s", host="h")
    assert world.add("routes", paths=["/a"], service={"name": "s"})["service"] == {"id": service["id"]}
    consumer = world.add("consumers", username="u", custom_id="c")
    plugin = world.add("plugins", name="rate-limiting", config={"minute": 1}, consumer={"custom_id": "c"})
    assert plugin["consumer"] == {"id": consumer["id"]}


def test_references_to_nothing(world):
    unresolved = world.add("routes", paths=["/a"], service={"name": "none"})
    assert (unresolved.status, unresolved.code) == (400, 13)
    dangling = world.add("routes", paths=["/a"], service={"id": NOBODY})
    assert (dangling.status, dangling.code) == (400, 4)
    assert dangling.body["fields"] == {"service": {"id": NOBODY}}


def test_taken_ids_and_values(world):
    first = world.add("services", name="s", host="h")
    assert world.add("services", id=first["id"], name="t", host="h").code == 3
    assert world.add("services", name="s", host="h").body["fields"] == {"name": "s"}
    other = world.add("services", name="t", host="h")
    assert world.patch("services", other["id"], {"name": "s"}).status == 409
    assert world.put("services", other["id"], {"name": "s", "host": "h"}).status == 409


def test_the_schema_is_judged_before_uniqueness(world):
    world.add("services", name="s", host="h")
    assert world.add("services", name="s", host="h", port="x").code == 2


def test_a_plugin_is_unique_in_its_scope(world):
    service = world.add("services", name="s", host="h")
    group = world.add("consumer_groups", name="g")
    config = {"minute": 1}
    assert "consumer_group" not in world.add("plugins", name="rate-limiting", config=config, service=service)
    taken = world.add("plugins", name="rate-limiting", config=config, service=service)
    assert taken.body["fields"] == {
        "name": "rate-limiting",
        "route": None,
        "service": {"id": service["id"]},
        "consumer": None,
    }
    scoped = world.add("plugins", name="rate-limiting", config=config, service=service, consumer_group={"name": "g"})
    assert scoped["consumer_group"] == {"id": group["id"]}
    again = world.add("plugins", name="rate-limiting", config=config, service=service, consumer_group=group)
    assert again.body["fields"]["consumer_group"] == {"id": group["id"]}


def test_some_plugins_take_no_consumer_and_no_group(world):
    consumer, group = world.add("consumers", username="c"), world.add("consumer_groups", name="g")
    refused = world.add("plugins", name="key-auth", consumer=consumer, consumer_group=group)
    assert refused.body["fields"] == {"consumer": "value must be null", "consumer_group": "value must be null"}


def test_a_service_stays_while_routes_point_to_it(world):
    service = world.add("services", name="s", host="h")
    route = world.add("routes", paths=["/a"], service=service)
    refused = world.remove("services", "s")
    assert refused.body["fields"] == {"@referenced_by": "routes"}
    world.remove("routes", route["id"])
    assert world.remove("services", "s") is None
    assert world.catalog.count("services") == 0


def test_dependants_go_first(world):
    consumer, group = world.add("consumers", username="c"), world.add("consumer_groups", name="g")
    world.add("keyauth_credentials", consumer=consumer)
    world.add("acls", consumer=consumer, group="x")
    world.add("consumer_group_consumers", consumer=consumer, consumer_group=group)
    world.add("plugins", name="rate-limiting", config={"minute": 1}, consumer=consumer, consumer_group=group)
    plan = world.catalog.delete("consumers", "c")
    assert [change.kind for change in plan.changes][-1] == "consumers"
    assert len(plan.changes) == 5
    world.done(plan)
    assert [kind for kind in SCHEMAS if kind != "tags" and world.catalog.count(kind)] == ["consumer_groups"]


def test_upstreams_take_their_targets_along(world):
    upstream = world.add("upstreams", name="u.test")
    world.add("targets", target="h:1", upstream=upstream)
    world.remove("upstreams", "u.test")
    assert world.catalog.count("targets") == 0


def test_what_is_not_there_can_be_deleted_and_not_changed(world):
    assert world.catalog.delete("services", "none").changes == ()
    missing = world.patch("services", "none", {"host": "h"})
    assert (missing.status, missing.body["fields"]) == (404, {"name": "none"})
    assert world.patch("services", NOBODY, {}).body["fields"] == {"id": NOBODY}
    assert world.patch("acls", "g", {}, where=("consumer", NOBODY)).body == {"message": "Not found"}


def test_put_takes_id_or_name_from_the_path(world):
    made = world.put("services", "s", {"host": "h", "name": "other"})
    assert made["name"] == "s"
    kept = world.put("services", "s", {"host": "i"})
    assert (kept["id"], kept["host"]) == (made["id"], "i")
    assert world.put("services", NOBODY, {"host": "h", "id": made["id"]})["id"] == NOBODY
    assert world.put("services", "a b", {"host": "h"}).code == 10


def test_put_below_a_parent(world):
    one, two = world.add("consumers", username="a"), world.add("consumers", username="b")
    mine, theirs = ("consumer", one["id"]), ("consumer", two["id"])
    key = world.put("keyauth_credentials", "k", {}, where=mine)
    assert (key["key"], key["consumer"]) == ("k", {"id": one["id"]})
    assert world.put("keyauth_credentials", "k", {}, where=theirs).status == 404
    acl = world.put("acls", "g", {}, where=mine)
    assert acl["group"] == "g"
    assert world.put("acls", "g", {"tags": ["t"]}, where=mine)["id"] == acl["id"]
    assert world.put("acls", "g", {}, where=theirs)["id"] != acl["id"]


def test_targets_are_never_created_by_put(world):
    upstream = world.add("upstreams", name="u.test")
    where = ("upstream", upstream["id"])
    assert world.put("targets", "h:1", {"weight": 3}, where=where).status == 404
    world.add("targets", target="h:1", upstream=upstream)
    assert world.put("targets", "h:1", {"weight": 3}, where=where)["weight"] == 3


def test_passwords(world):
    consumer = world.add("consumers", username="c")
    made = world.add("basicauth_credentials", username="u", password="p", consumer=consumer)
    assert made["password"] == password_hash("p", consumer["id"])
    assert world.patch("basicauth_credentials", "u", {"tags": ["t"]})["password"] == made["password"]
    assert world.patch("basicauth_credentials", "u", {"password": "q"})["password"] == password_hash(
        "q", consumer["id"]
    )


def test_a_key_whose_time_is_up_makes_room(world):
    consumer = world.add("consumers", username="c")
    first = world.add("keyauth_credentials", key="k", consumer=consumer, ttl=10)
    assert world.add("keyauth_credentials", key="k", consumer=consumer).status == 409
    world.now += 10 * SECOND
    assert world.patch("keyauth_credentials", "k", {"tags": []}).status == 404
    second = world.add("keyauth_credentials", key="k", consumer=consumer)
    assert second["id"] != first["id"]
    assert world.catalog.count("keyauth_credentials") == 1


def test_a_change_keeps_the_expiry_unless_it_says_other(world):
    consumer = world.add("consumers", username="c")
    world.add("keyauth_credentials", key="k", consumer=consumer, ttl=10)
    world.now += 4 * SECOND
    assert world.patch("keyauth_credentials", "k", {"tags": ["t"]})["ttl"] == 6
    assert world.patch("keyauth_credentials", "k", {"ttl": 20})["ttl"] == 20
    assert world.patch("keyauth_credentials", "k", {"ttl": 0})["ttl"] is None


def test_seals_hide_the_key_in_storage_only():
    world = World({"keyauth_credentials": ("key", lambda plain: f"sealed:{plain}")})
    consumer = world.add("consumers", username="c")
    plan = world.catalog.insert("keyauth_credentials", {"key": "k", "consumer": consumer}, NOW, world.ids)
    assert (plan.entity["key"], plan.changes[0].entity["key"]) == ("k", "sealed:k")
    world.done(plan)
    taken = world.add("keyauth_credentials", key="k", consumer=consumer).body
    assert taken["fields"] == {"key": "(hidden)"}
    assert taken["message"] == "UNIQUE violation detected on '{key=\"(hidden)\"}'"
    world.patch("keyauth_credentials", "k", {"tags": ["t"]})
    assert world.catalog.select_by("keyauth_credentials", "key", "k")["key"] == "sealed:k"
    world.patch("keyauth_credentials", "k", {"key": "l"})
    assert world.catalog.select_by("keyauth_credentials", "key", "l")["key"] == "sealed:l"


def test_a_plugin_and_its_route_share_a_protocol(world):
    route = world.add("routes", protocols=["tcp"], sources=[{"port": 1}])
    limits = {"name": "rate-limiting", "config": {"minute": 1}, "route": route}
    assert world.add("plugins", **limits, protocols=["http"]).body["fields"] == {
        "protocols": "must match the associated route's protocols"
    }
    assert world.add("plugins", **limits)["protocols"] == ["grpc", "grpcs", "http", "https"]


def test_an_option_fault_comes_before_the_schema(world):
    assert world.add("keyauth_credentials", ttl="x").code == 11
    assert world.add("plugins", name="nope").body["fields"]["name"].startswith("plugin 'nope' not enabled")


# ---- against a model that knows nothing of indexes

NAMES = st.sampled_from(["a", "b", "c"])
COMMANDS = st.one_of(
    st.tuples(st.just("service"), NAMES),
    st.tuples(st.just("route"), NAMES, st.none() | NAMES),
    st.tuples(st.just("plugin"), st.sampled_from(["acl", "cors"]), st.none() | NAMES, st.none() | NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("delete"), st.sampled_from(["services", "routes"]), NAMES),
)


class Naive:
    """The same rules by searching through lists."""

    def __init__(self):
        self.services, self.routes, self.plugins = [], [], []

    def run(self, command):
        return getattr(self, command[0])(*command[1:])

    def service(self, name):
        if name in self.services:
            return 409
        self.services.append(name)
        return 0

    def route(self, name, service):
        if service is not None and service not in self.services:
            return 400
        if name in [route[0] for route in self.routes]:
            return 409
        self.routes.append([name, service])
        return 0

    def plugin(self, name, service, route):
        if service is not None and service not in self.services:
            return 400
        if route is not None and route not in [known[0] for known in self.routes]:
            return 400
        if (name, service, route) in self.plugins:
            return 409
        self.plugins.append((name, service, route))
        return 0

    def rename(self, old, new):
        if old not in self.services:
            return 404
        if new != old and new in self.services:
            return 409
        self.services[self.services.index(old)] = new
        for route in self.routes:
            route[1] = new if route[1] == old else route[1]
        self.plugins = [(name, new if service == old else service, route) for name, service, route in self.plugins]
        return 0

    def delete(self, kind, name):
        if kind == "services" and name in [route[1] for route in self.routes]:
            return 400
        place = 1 if kind == "services" else 2
        self.plugins = [plugin for plugin in self.plugins if plugin[place] != name]
        self.services = [known for known in self.services if kind != "services" or known != name]
        self.routes = [known for known in self.routes if kind != "routes" or known[0] != name]
        return 0


def play(world, command):
    kind, *rest = command
    if kind == "service":
        return world.add("services", name=rest[0], host="h")
    if kind == "route":
        return world.add("routes", name=rest[0], paths=["/"], service=rest[1] and {"name": rest[1]})
    if kind == "plugin":
        config = {"allow": ["g"]} if rest[0] == "acl" else {}
        scope = {"service": rest[1] and {"name": rest[1]}, "route": rest[2] and {"name": rest[2]}}
        return world.add("plugins", name=rest[0], config=config, **scope)
    if kind == "rename":
        return world.patch("services", rest[0], {"name": rest[1]})
    return world.remove(rest[0], rest[1])


@settings(max_examples=200)
@given(st.lists(COMMANDS, max_size=25))
def test_any_history_agrees_with_the_naive_model(commands):
    world, model = World(), Naive()
    for command in commands:
        answer = play(world, command)
        assert (answer.status if isinstance(answer, Violation) else 0) == model.run(command), command
    catalog = world.catalog
    names = {row["id"]: row["name"] for kind in ("services", "routes") for row in catalog.rows(kind)}
    assert sorted(row["name"] for row in catalog.rows("services")) == sorted(model.services)
    routes = [(row["name"], row["service"] and names[row["service"]["id"]]) for row in catalog.rows("routes")]
    assert sorted(routes, key=str) == sorted(map(tuple, model.routes), key=str)
    plugins = [
        (row["name"], row["service"] and names[row["service"]["id"]], row["route"] and names[row["route"]["id"]])
        for row in catalog.rows("plugins")
    ]
    assert sorted(plugins, key=str) == sorted(model.plugins, key=str)
