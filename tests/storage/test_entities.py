import asyncio
import contextlib
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.errors import StoreError
from aimon_local.model.entities import (
    agents,
    consumers,
    credentials,
    plugins,
    routes,
    services,
    tiers,
    tls,
    upstreams,
)
from aimon_local.model.schema import Schema
from aimon_local.storage.database import Database
from aimon_local.storage.entities import KINDS, EntityStore

SCHEMAS = {
    schema.name: schema
    for module in (agents, consumers, credentials, plugins, routes, services, tiers, tls, upstreams)
    for schema in vars(module).values()
    if isinstance(schema, Schema) and schema.name in KINDS
}


@dataclass(frozen=True)
class Step:
    op: str
    kind: str
    entity: dict


def put(kind, id_, **fields):
    return Step("put", kind, {"id": id_, **fields})


def delete(kind, id_):
    return Step("delete", kind, {"id": id_})


def ref(id_):
    return {"id": id_}


@contextlib.asynccontextmanager
async def opened(directory):
    database = Database.open(directory)
    try:
        store = await EntityStore.open(database)
        try:
            yield store
        finally:
            await store.close()
    finally:
        database.close()


def test_the_tables_hold_what_the_schemas_of_the_model_promise(tmp_path):
    """Every reference is a foreign key that goes the same way on delete, every unique field a unique index."""
    database = Database.open(tmp_path)
    db = database.connect()
    assert set(SCHEMAS) == set(KINDS)
    for name, schema in SCHEMAS.items():
        keys = {row[3]: (row[2], row[6]) for row in db.execute(f"PRAGMA foreign_key_list({name})")}
        uniques = set()
        for _, index, unique, *_ in db.execute(f"PRAGMA index_list({name})").fetchall():
            if unique:
                uniques.add(tuple(row[2] for row in db.execute(f"PRAGMA index_info({index})")))
        for field in schema.fields:
            if field.attrs.get("on_delete") == "leave":
                assert f"{field.name}_id" not in keys, (name, field.name)
            elif field.type == "foreign":
                rule = "CASCADE" if field.attrs.get("on_delete") == "cascade" else "NO ACTION"
                assert keys.pop(f"{field.name}_id") == (field.attrs["reference"], rule), (name, field.name)
            if field.attrs.get("unique"):
                assert (field.name,) in uniques, (name, field.name)
        assert not keys, name
        if schema.composite_unique and name != "plugins":
            references = {field.name for field in schema.fields if field.type == "foreign"}
            columns = {f"{field}_id" if field in references else field for field in schema.composite_unique}
            assert columns in [set(index) for index in uniques], name
    db.close()
    database.close()


def test_what_was_stored_is_there_after_a_restart_in_the_order_of_its_making(tmp_path):
    one = put("services", "s2", name="b", tags=["ü", "\ud800"], nested={"deep": [1, 2.5, None, True]})
    two = put("services", "s1", name=None)

    async def steps():
        async with opened(tmp_path) as store:
            await store.apply([one, two])
            await store.apply([put("services", "s2", name="renamed")])
            await store.set_setting("seeded", "yes")
            await store.set_setting("seeded", "twice")
        async with opened(tmp_path) as store:
            loaded = await store.load()
            assert loaded["services"] == [{"id": "s2", "name": "renamed"}, two.entity]
            assert loaded["routes"] == []
            assert (await store.setting("seeded"), await store.setting("never")) == ("twice", None)

    asyncio.run(steps())


def test_any_json_comes_back_as_it_was(tmp_path):
    entity = {"id": "c", "username": "\ud800 half a pair", "custom_id": "日本", "tags": ["\x00"], "big": 2**70}

    async def steps():
        async with opened(tmp_path) as store:
            await store.apply([Step("put", "consumers", entity)])
            assert (await store.load())["consumers"] == [entity]

    asyncio.run(steps())


BASE = [
    put("services", "s", name="s"),
    put("routes", "r", name="r", service=ref("s")),
    put("consumers", "c", username="ann", custom_id=None),
    put("consumer_groups", "g", name="g"),
    put("upstreams", "u", name="u"),
    put("certificates", "x"),
]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], [put("routes", "r2", service=ref("nobody"))]),
        ([], [delete("services", "s")]),  # its route refers to it
        ([], [put("services", "s2", name="s")]),
        ([], [put("consumers", "c2", username="ann")]),
        ([put("plugins", "p", name="cors")], [put("plugins", "p2", name="cors")]),
        ([put("plugins", "p", name="cors", route=ref("r"))], [put("plugins", "p2", name="cors", route=ref("r"))]),
        (
            [put("plugins", "p", name="rl", consumer_group=ref("g"), service=ref("s"))],
            [put("plugins", "p2", name="rl", service=ref("s"), consumer_group=ref("g"))],
        ),
        (
            [put("keyauth_credentials", "k", consumer=ref("c"), key="K")],
            [put("keyauth_credentials", "k2", consumer=ref("c"), key="K")],
        ),
        (
            [put("acls", "a", consumer=ref("c"), group="free")],
            [put("acls", "a2", consumer=ref("c"), group="free")],
        ),
        (
            [put("targets", "t", upstream=ref("u"), target="h:1")],
            [put("targets", "t2", upstream=ref("u"), target="h:1")],
        ),
        ([put("snis", "n", name="h", certificate=ref("x"))], [delete("certificates", "x")]),
    ],
)
def test_what_the_catalog_should_have_refused_is_a_fault_and_changes_nothing(tmp_path, first, second):
    async def steps():
        async with opened(tmp_path) as store:
            await store.apply(BASE + first)
            before = await store.load()
            with pytest.raises(StoreError, match="refused what"):
                await store.apply([put("consumers", "new", username="new"), *second])
            assert await store.load() == before
            await store.apply([put("consumers", "new", username="new")])  # the connection goes on working

    asyncio.run(steps())


def test_plugins_of_one_name_live_side_by_side_in_different_scopes(tmp_path):
    scopes = [{}, {"route": ref("r")}, {"service": ref("s")}, {"consumer": ref("c")}, {"consumer_group": ref("g")}]

    async def steps():
        async with opened(tmp_path) as store:
            await store.apply(BASE + [put("plugins", f"p{n}", name="rl", **scope) for n, scope in enumerate(scopes)])
            assert len((await store.load())["plugins"]) == len(scopes)

    asyncio.run(steps())


def test_order_within_one_write_does_not_matter_for_references(tmp_path):
    async def steps():
        async with opened(tmp_path) as store:
            await store.apply(list(reversed(BASE)))
            await store.apply([delete("services", "s"), delete("routes", "r")])
            assert (await store.load())["services"] == []

    asyncio.run(steps())


def test_a_write_ends_even_if_its_caller_is_cancelled(tmp_path):
    async def steps():
        async with opened(tmp_path) as store:
            write = asyncio.create_task(store.apply(BASE))
            await asyncio.sleep(0)
            write.cancel()
            with pytest.raises(asyncio.CancelledError):
                await write
        async with opened(tmp_path) as store:
            assert len((await store.load())["services"]) == 1

    asyncio.run(steps())


def test_writes_at_the_same_time_take_turns(tmp_path):
    async def steps():
        async with opened(tmp_path) as store:
            writes = [store.apply([put("consumers", f"c{n}", username=f"u{n % 10}")]) for n in range(20)]
            results = await asyncio.gather(*writes, return_exceptions=True)
            assert sum(result is None for result in results) == 10
            assert len((await store.load())["consumers"]) == 10

    asyncio.run(steps())


def test_a_locked_database_is_a_fault_and_heals(tmp_path):
    async def steps():
        async with opened(tmp_path) as store:
            await store._db.execute("PRAGMA busy_timeout = 1")
            other = sqlite3.connect(tmp_path / "aimon-local.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                await store.apply(BASE)
            other.execute("ROLLBACK")
            other.close()
            await store.apply(BASE)

    asyncio.run(steps())


# ---- SQLite against a model in memory

IDS = st.sampled_from(["1", "2", "3"])
NAMES = st.sampled_from(["a", "b", None])
REFERENCES = st.none() | IDS.map(ref)
COMMANDS = st.one_of(
    st.builds(put, st.just("services"), IDS, name=NAMES),
    st.builds(put, st.just("routes"), IDS, name=NAMES, service=REFERENCES),
    st.builds(put, st.just("consumers"), IDS, username=NAMES, custom_id=NAMES),
    st.builds(
        put,
        st.just("plugins"),
        IDS,
        name=st.sampled_from(["x", "y"]),
        instance_name=st.none(),
        route=REFERENCES,
        service=REFERENCES,
        consumer=REFERENCES,
    ),
    st.builds(put, st.just("acls"), IDS, consumer=IDS.map(ref), group=st.sampled_from(["free", "pro"])),
    st.builds(delete, st.sampled_from(["services", "routes", "consumers", "plugins", "acls"]), IDS),
)


class Refused(Exception):
    pass


class Memory:
    """The same promises, naively: read off the schemas, checked by looking at everything."""

    def __init__(self):
        self.rows = {kind: {} for kind in KINDS}

    def apply(self, changes):
        before = {kind: dict(rows) for kind, rows in self.rows.items()}
        try:
            for change in changes:
                if change.op == "put":
                    self.rows[change.kind][change.entity["id"]] = change.entity
                    self.check_unique(change.kind)
                else:
                    self.remove(change.kind, change.entity["id"])
            self.check_references()
        except Refused:
            self.rows = before
            raise

    def references(self, to):
        for kind, schema in SCHEMAS.items():
            for field in schema.fields:
                if field.type == "foreign" and field.attrs["reference"] == to:
                    yield kind, field.name, field.attrs.get("on_delete") == "cascade"

    def remove(self, kind, id_):
        if self.rows[kind].pop(id_, None) is None:
            return
        for other, name, cascades in self.references(kind):
            if cascades:
                for row in [row for row in self.rows[other].values() if row.get(name) == ref(id_)]:
                    self.remove(other, row["id"])

    def check_unique(self, kind):
        schema = SCHEMAS[kind]
        keys = [(field.name,) for field in schema.fields if field.attrs.get("unique")]
        for names in [*keys, schema.composite_unique]:
            seen = [tuple(str(row.get(name)) for name in names) for row in self.rows[kind].values()]
            if len(names) == 1:
                seen = [key for key in seen if key != ("None",)]
            if names and len(seen) != len(set(seen)):
                raise Refused

    def check_references(self):
        for kind in KINDS:
            for other, name, _ in self.references(kind):
                for row in self.rows[other].values():
                    if row.get(name) is not None and row[name]["id"] not in self.rows[kind]:
                        raise Refused


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(COMMANDS, min_size=1, max_size=4), max_size=25))
def test_sqlite_and_memory_agree_under_any_commands(batches):
    async def steps(directory):
        memory = Memory()
        async with opened(directory) as store:
            await store._db.execute("PRAGMA synchronous = OFF")
            for batch in batches:
                try:
                    memory.apply(batch)
                    refused = False
                except Refused:
                    refused = True
                try:
                    await store.apply(batch)
                    assert not refused, batch
                except StoreError:
                    assert refused, batch
                loaded = await store.load()
                for kind, rows in memory.rows.items():
                    assert {row["id"]: row for row in loaded[kind]} == rows, kind
        async with opened(directory) as store:
            assert await store.load() == loaded if batches else True

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(steps(Path(directory)))
