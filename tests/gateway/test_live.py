"""What is in force: stored first, then applied, then swapped; all of a write or nothing of it."""

import asyncio

import pytest

from aimon_local.errors import StoreFull
from tests.support.stage import CountingIds, Memory, make_live

NOW = 1_700_000_000_000_000_000
SERVICE = ("services", {"name": "s", "url": "http://up.test"})


def planned(live, kind, entity):
    return live.catalog.insert(kind, entity, NOW, IDS).changes


IDS = CountingIds()
IDS.made = 1000


def route(live, path):
    return planned(live, "routes", {"name": path.strip("/"), "paths": [path], "service": {"name": "s"}})


def found(live, path):
    return live.snapshot.route("GET", "h", path, [], "http")


def test_a_write_is_stored_then_in_force():
    store = Memory()
    live = make_live(SERVICE, store=store)
    before = live.snapshot
    swaps = []
    live.on_swap.append(swaps.append)
    live.on_change.append(swaps.append)
    changes = route(live, "/a")
    assert found(live, "/a") is None  # a plan is no write
    asyncio.run(live.commit(changes))
    assert store.applied == [changes]
    assert found(live, "/a").route.name == "a"
    assert swaps == [live.snapshot, changes]
    assert before.route("GET", "h", "/a", [], "http") is None  # who began with it keeps it


def test_nothing_to_write_swaps_nothing():
    store = Memory()
    live = make_live(SERVICE, store=store)
    before = live.snapshot
    asyncio.run(live.commit(()))
    assert (live.snapshot, store.applied) == (before, [])


def test_what_could_not_be_stored_is_not_in_force():
    store = Memory()
    live = make_live(SERVICE, store=store)
    store.fault = StoreFull("full")
    told = []
    live.on_change.append(told.append)
    before, changes = live.snapshot, route(live, "/a")
    with pytest.raises(StoreFull):
        asyncio.run(live.commit(changes))
    assert live.snapshot is before
    assert told == []
    assert live.catalog.select_by("routes", "name", "a") is None
    store.fault = None
    asyncio.run(live.commit(changes))
    assert found(live, "/a") is not None


def test_writes_take_turns():
    live = make_live(SERVICE)

    async def write(path):
        async with live.writing:
            await live.commit(route(live, path))

    async def all_at_once():
        await asyncio.gather(*(write(f"/p{n}") for n in range(20)))

    asyncio.run(all_at_once())
    assert all(found(live, f"/p{n}") for n in range(20))


def test_what_the_operator_should_know_is_said():
    notes = []
    live = make_live(SERVICE, notes=notes)
    config = {"minute": 5, "policy": "redis", "redis": {"host": "r"}}
    asyncio.run(live.commit(planned(live, "plugins", {"name": "rate-limiting", "config": config})))
    assert ["redis" in note for note in notes] == [True]
