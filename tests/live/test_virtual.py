"""The same script and seed give the same ledger, over sockets and in virtual time; and a run in virtual time is the same
to the last id each time.
"""

import asyncio

import pytest

from aimon_local.gateway.app import Gateway
from aimon_local.gateway.settings import Settings
from aimon_local.gateway.virtual import VirtualGateway, connect, run_virtual
from aimon_local.scenario.play import play
from aimon_local.scenario.read import load
from aimon_local.scenario.shipped import named
from aimon_local.scenario.world import World

SCRIPTS = ("lab-free-vs-pro", "burst-vs-quota", "budget-edge", "model-gating", "lying-upstream")
AI = ("model", "input", "output", "cost", "charge", "denied_limit")


async def ledger(gateway):
    """By consumer: tier, what became of each call and what it cost. Calls at one moment have no order among them."""
    rows = list((await gateway.queries.usage_rows(size=1000)).rows)
    used = await gateway.queries.ai_records([row.request_id for row in rows])
    out = {}
    for row in rows:
        ai = used.get(row.request_id)
        money = None if ai is None else tuple(getattr(ai, name) for name in AI)
        out.setdefault(row.consumer, []).append((row.tier, row.status, row.decision, row.deny_reason, money))
    return {name: sorted(each, key=repr) for name, each in out.items()}, [row.request_id for row in rows]


def over_sockets(script, seed, data):
    async def main():
        settings = Settings(data=data, proxy_port=0, admin_port=0, upstream_port=0, empty=True)
        gateway = Gateway(settings)
        await gateway.start()
        try:
            places = [url.removeprefix("http://").split(":") for url in gateway.addresses().values()]
            world = World(*((host, int(port)) for host, port in places), own=True)
            outcome = await play(script, world, seed=seed, prefix="")
            return outcome, await ledger(gateway)
        finally:
            await gateway.stop()

    return asyncio.run(main())


def virtually(script, seed):
    async def main():
        async with VirtualGateway(seed=seed, empty=True) as virtual:
            world = World(virtual.proxy, virtual.admin, virtual.upstream, own=True, connect=connect)
            outcome = await play(script, world, seed=seed, prefix="")
            verdict = await virtual.gateway.queries.verify(virtual.gateway.clock.now_ns())
            assert [check for check in verdict.checks if not check.good] == []
            return outcome, await ledger(virtual.gateway)

    return run_virtual(main)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_script_and_seed_give_the_same_ledger(name, tmp_path):
    script = load(named(name))
    live, (rows, _) = over_sockets(script, 11, tmp_path / "data")
    virtual, (same, _) = virtually(script, 11)
    assert live.verdict.passed
    assert virtual.verdict.passed
    assert rows
    assert same == rows


def test_a_virtual_run_is_the_same_to_the_last_id():
    script = load(named("burst-vs-quota"))
    first, second, other = virtually(script, 3)[1], virtually(script, 3)[1], virtually(script, 4)[1]
    assert first == second
    assert other[1] != first[1]
