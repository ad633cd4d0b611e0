"""Moving the clock of a running gateway: what it shows, what is stored, told and kept over a restart."""

import asyncio
import json
import sqlite3

import pytest

from aimon_local.clock import ManualClock
from aimon_local.gateway.app import Gateway
from aimon_local.gateway.settings import Settings
from aimon_local.model.event import ClockMoved
from aimon_local.storage.clock import of_directory

DAY = 86_400 * 10**9
AT = 1_772_323_200 * 10**9  # 2026-03-01


def run(tmp_path, steps, real=None):
    async def main():
        settings = Settings(data=tmp_path, proxy_port=0, admin_port=0, upstream_port=0, empty=True)
        gateway = Gateway(settings, clock=real or ManualClock(AT))
        await gateway.start()
        try:
            return await steps(gateway)
        finally:
            await gateway.stop()

    return asyncio.run(main())


async def ask(gateway, method, path, body="", name="admin"):
    host, port = gateway.addresses()[name].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    if body:
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}\r\n{body}".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def test_a_jump_is_in_force_told_audited_and_kept(tmp_path):
    real = ManualClock(AT)

    async def jump(gateway):
        after = gateway.events.last
        answer = await ask(gateway, "POST", "/clock", "jump=2026-12-31T23:59:58Z")
        assert answer.startswith("HTTP/1.1 200")
        assert '"now":"2026-12-31T23:59:58Z"' in answer
        told = [event for _, event in gateway.events.after(after) if isinstance(event, ClockMoved)]
        assert [(each.action, each.given, each.shift_ns, each.speed) for each in told] == [
            ("jump", "2026-12-31T23:59:58Z", gateway.clock.now_ns() - AT, 1)
        ]
        assert told[0].by.startswith("admin 127.0.0.1")
        assert "Date: Thu, 31 Dec 2026 23:59:58 GMT" in await ask(gateway, "GET", "/get", name="upstream")
        assert '"action":"jump"' in await ask(gateway, "GET", "/audit?kind=clock")
        return gateway.clock.now_ns()

    shown = run(tmp_path, jump, real)
    real.advance_ns(5 * 10**9)

    async def again(gateway):
        return gateway.clock.now_ns()

    assert run(tmp_path, again, real) == shown + 5 * 10**9


def test_a_frozen_clock_is_frozen_after_a_restart_and_reset_forgets_it(tmp_path):
    real = ManualClock(AT)

    async def freeze(gateway):
        await ask(gateway, "POST", "/clock", "freeze=true")

    async def thaw(gateway):
        assert gateway.clock.now_ns() == AT
        await ask(gateway, "POST", "/clock", "reset=true")
        assert gateway.clock.now_ns() == real.now_ns()

    run(tmp_path, freeze, real)
    real.advance_ns(DAY)
    run(tmp_path, thaw, real)
    assert of_directory(tmp_path) is None


def test_rows_keep_virtual_and_real_time_and_the_chain_covers_both(tmp_path):
    async def steps(gateway):
        service = json.dumps({"name": "s", "url": gateway.addresses()["upstream"]})
        for path, body in (("/services", service), ("/services/s/routes", '{"paths":["/a"]}')):
            await post_json(gateway, path, body)
        plain = await ask(gateway, "GET", "/a/get", name="proxy")
        assert "X-Aimon-Clock" not in plain
        await ask(gateway, "POST", "/clock", "advance=1d")
        moved = await ask(gateway, "GET", "/a/get", name="proxy")
        assert "X-Aimon-Clock: 2026-03-02T00:00:00Z; shift=86400\r\n" in moved
        assert "Date: Mon, 02 Mar 2026 00:00:00 GMT" in moved
        assert "X-Aimon-Clock: 2026-03-02T00:00:00Z\r\n" in await ask(gateway, "GET", "/status")
        rows = (await gateway.queries.usage_rows()).rows
        assert [(row.at_ns, row.shift_ns) for row in rows] == [(AT + DAY, DAY), (AT, 0)]
        verdict = await gateway.queries.verify(gateway.clock.now_ns())
        assert all(check.good for check in verdict.checks)

    run(tmp_path, steps)
    with sqlite3.connect(tmp_path / "aimon-local.db") as db:
        db.execute("UPDATE usage_rows SET shift_ns = 7 WHERE shift_ns <> 0")
    db.close()

    async def broken(gateway):
        verdict = await gateway.queries.verify(gateway.clock.now_ns())
        assert any(check.name == "chain" and not check.good for check in verdict.checks), verdict

    run(tmp_path, broken)


async def post_json(gateway, path, body):
    host, port = gateway.addresses()["admin"].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    assert (await reader.read()).startswith(b"HTTP/1.1 201")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "give one of"),
        ("freeze=true&advance=1d", "give one of"),
        ("frieze=true", "unknown: frieze"),
        ("freeze=perhaps", "a switch"),
        ("advance=soon", "a duration"),
        ("advance=999999999w", "1970 to 2100"),
        ("jump=2201-01-01", "a time"),
        ("jump=2115-01-01", "1970 to 2100"),
        ("speed=0", "from 1 to"),
        ("speed=fast", "a whole number"),
    ],
)
def test_what_makes_no_sense_is_said_and_moves_nothing(tmp_path, body, said):
    async def steps(gateway):
        answer = await ask(gateway, "POST", "/clock", body or "x=&x=")
        assert answer.startswith("HTTP/1.1 400")
        assert said in answer or not body
        assert not gateway.clock.moved

    run(tmp_path, steps)


def test_there_and_back_again_leaves_a_ledger_that_adds_up(tmp_path):
    async def steps(gateway):
        await post_json(gateway, "/services", json.dumps({"name": "s", "url": gateway.addresses()["upstream"]}))
        await post_json(gateway, "/services/s/routes", '{"paths":["/a"]}')
        limit = {"name": "rate-limiting", "config": {"day": 2, "limit_by": "service"}}
        await post_json(gateway, "/services/s/plugins", json.dumps(limit))
        seen = []
        for move in ("advance=9d", "advance=1h", "jump=2026-03-01T12:00:00Z", "reset=true", "advance=1d", "advance=1d"):
            await ask(gateway, "POST", "/clock", move)
            seen.append((await ask(gateway, "GET", "/a/get", name="proxy"))[9:12])
        # two on the tenth; back on the first they count there; a new day is a new window each time
        assert seen == ["200", "200", "429", "429", "200", "200"]
        verdict = await gateway.queries.verify(gateway.clock.now_ns())
        assert [check for check in verdict.checks if not check.good] == []

    run(tmp_path, steps)


def test_a_key_ends_by_the_moved_clock(tmp_path):
    async def steps(gateway):
        await post_json(gateway, "/services", json.dumps({"name": "s", "url": gateway.addresses()["upstream"]}))
        await post_json(gateway, "/services/s/routes", '{"paths":["/a"]}')
        await post_json(gateway, "/services/s/plugins", '{"name":"key-auth"}')
        await post_json(gateway, "/consumers", '{"username":"u"}')
        await post_json(gateway, "/consumers/u/key-auth", '{"key":"sesame","ttl":3600}')
        seen = []
        for move in ("freeze=true", "advance=59m", "advance=2m", "advance=-1", "jump=2026-03-01T00:30:00Z"):
            await ask(gateway, "POST", "/clock", move)
            seen.append((await ask(gateway, "GET", "/a/get?apikey=sesame", name="proxy"))[9:12])
        assert seen == ["200", "200", "401", "401", "200"]

    run(tmp_path, steps)


def test_metrics_tell_of_a_moved_clock_alone(tmp_path):
    async def steps(gateway):
        assert "aimon_clock" not in await ask(gateway, "GET", "/metrics")
        for move in ("advance=1d", "speed=60"):
            await ask(gateway, "POST", "/clock", move)
        shown = await ask(gateway, "GET", "/metrics")
        assert "aimon_clock_shift_seconds 86400\n" in shown
        assert "aimon_clock_speed 60\n" in shown

    run(tmp_path, steps)
