"""Entries as lines, and batches that are waited for or cut."""

import asyncio

from aimon_local.gateway.batches import Tasks, encode


def test_an_entry_is_one_line_of_json():
    assert encode({"a": "ü\n", "b": [1, None]}) == '{"a":"ü\\n","b":[1,null]}'.encode()
    assert encode({"odd": {1, 2}.__class__}) == b'{"odd":"<class \'set\'>"}'
    assert encode(b"ready") == b"ready"


def test_what_runs_is_waited_for_and_then_cut():
    done = []

    async def work(name, seconds):
        try:
            await asyncio.sleep(seconds)
            done.append(name)
        except asyncio.CancelledError:
            done.append(f"{name} cut")
            raise

    async def main():
        tasks = Tasks()
        tasks.start(work("short", 0))
        tasks.start(work("long", 3600))
        await tasks.finish(0.05)
        await tasks.finish(0.05)  # nothing is left

    asyncio.run(main())
    assert done == ["short", "long cut"]
