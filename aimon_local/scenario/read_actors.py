"""Reads ``[actors.NAME]`` and its steps. Which keys an executor takes: ``_TAKES``."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from aimon_local.scenario.bodies import DIALECTS
from aimon_local.scenario.fields import Table, nearest
from aimon_local.scenario.script import (
    CARRY,
    CLIENTS,
    EXECUTORS,
    KEYS,
    Actor,
    Expect,
    Recorded,
    Spawn,
    Stage,
    Step,
)

Read = Callable[[str], str]  # the text of a file beside the script; OSError

_TAKES: Mapping[str, tuple[str, ...]] = {
    "constant-arrival-rate": ("rate", "duration"),
    "ramping-arrival-rate": ("stages",),
    "constant-vus": ("vus", "duration"),
    "per-vu-iterations": (),
    "replay": ("calls",),
}
"""Executor → the keys that it can't do without."""

_REASON_NONE = "none"
_SDK_RETRIES = 2  # the official clients' own default
_STORM_RETRIES = 20


def read_actor(name: str, table: Table, read: Read) -> Actor:
    """One actor; ConfigError names file, line and key."""
    executor = table.text("executor", "per-vu-iterations", EXECUTORS)
    for key in _TAKES[executor]:
        if key not in table.values:
            raise table.source.fault(table.path, f"[actors.{name}] is {executor} and needs {key!r}", _example(key))
    client = table.text("client", "naive", CLIENTS)
    steps = tuple(_step(row, f"step-{at}") for at, row in enumerate(table.tables("steps"), 1))
    actor = Actor(
        name=name,
        executor=executor,
        steps=steps,
        rate=table.rate("rate"),
        arrivals=table.text("arrivals", "even", ("even", "poisson")),
        start_rate=table.rate("start_rate"),
        stages=tuple(_stage(row) for row in table.tables("stages")),
        duration=table.seconds("duration"),
        vus=table.whole("vus", 1, 1),
        iterations=table.whole("iterations", 1, 1),
        think=table.wait("think"),
        start=table.seconds("start"),
        after=table.texts("after"),
        phase=table.text("phase"),
        tier=table.text("tier"),
        consumer=table.text("consumer"),
        consumers=table.whole("consumers", 1, 1),
        same_as=table.text("as"),
        key=table.text("key", "own", KEYS),
        client=client,
        retries=table.whole("retries", {"sdk": _SDK_RETRIES, "storm": _STORM_RETRIES}.get(client, 0)),
        max_in_flight=table.whole("max_in_flight", 1000, 1),
        timeout=table.seconds("timeout", 60.0),
        carry=table.texts("carry") or CARRY,
        data=_data(table, read),
        calls=_calls(table, read),
    )
    table.done()
    _whole(actor, table)
    return actor


def _whole(actor: Actor, table: Table) -> None:
    """What only the actor as a whole can be wrong about."""
    if not actor.steps and actor.executor != "replay":
        raise table.source.fault(
            table.path, f"[actors.{actor.name}] has no steps", f"add [[actors.{actor.name}.steps]]"
        )
    if actor.tier and actor.consumer:
        raise table.fault("consumer", "can't be beside tier: consumers of a tier are made for the run", "leave one out")
    names = [step.name for step in actor.steps]
    for at, step in enumerate(actor.steps):
        if step.spawn and step.spawn.step not in names:
            path = (*table.path, "steps", at, "spawn", "step")
            raise table.source.fault(path, f"no step is named {step.spawn.step!r}", nearest(step.spawn.step, names))
    if actor.steps and all(step.only_spawned for step in actor.steps):
        raise table.source.fault(table.path, f"[actors.{actor.name}] has only steps that others spawn", "")


def _example(key: str) -> str:
    examples = {
        "rate": 'rate = "10/s"',
        "duration": 'duration = "30s"',
        "stages": 'stages = [{ target = "10/s", duration = "30s" }]',
        "vus": "vus = 5",
        "calls": "[[actors.NAME.calls]] with at and what a step has",
    }
    return f"write {examples[key]}"


def _stage(table: Table) -> Stage:
    stage = Stage(table.rate("target"), table.seconds("duration"))
    table.done()
    return stage


def _step(table: Table, name: str) -> Step:
    step = _read_step(table, name)
    table.done()
    return step


def _read_step(table: Table, name: str) -> Step:
    """A step without the last word on unknown keys: calls of a replay have one more."""
    model, path = table.text("model"), table.text("path")
    plain = not model and "dialect" not in table.values
    dialect = "" if plain else table.text("dialect", "openai.chat", (*DIALECTS, "plain"))
    step = Step(
        name=table.text("name", name),
        method=table.text("method", "GET" if plain and "body" not in table.values else "POST"),
        path=path or DIALECTS.get(dialect, "/get"),
        dialect="" if dialect == "plain" else dialect,
        model=model,
        prompt=table.text("prompt"),
        prompt_tokens=table.count("prompt_tokens"),
        max_tokens=table.count("max_tokens"),
        stream=table.flag("stream"),
        tools=table.texts("tools"),
        body=table.text("body"),
        headers=(*table.pairs("headers"), *_knobs(table)),
        expect=_expect(table.table("expect")),
        repeat=table.whole("repeat", 1, 1),
        think=table.wait("think"),
        leave_after=table.seconds("leave_after") or None,
        leave_after_chunks=table.whole("leave_after_chunks", 0),
        spawn=_spawn(table.table("spawn")),
        only_spawned=table.flag("only_spawned"),
    )
    if "dialect" in table.values and plain is False and dialect and dialect != "plain" and not model:
        raise table.fault("dialect", "needs a model beside it", 'model = "mock-small"')
    if not step.path.startswith("/"):
        raise table.fault("path", "must begin with /", "")
    return step


def _knobs(table: Table) -> list[tuple[str, str]]:
    """``mock = { ttft_ms = 50 }`` as the fields by which the mock takes knobs for one request."""
    texts = {True: "true", False: "false"}
    return [
        (f"X-Mock-{name.replace('_', '-')}", texts.get(value, str(value)) if isinstance(value, bool) else str(value))
        for name, value in table.mapping("mock").items()
    ]


def _expect(table: Table | None) -> Expect | None:
    if table is None:
        return None
    reasons = tuple("" if reason == _REASON_NONE else reason for reason in table.texts("reason"))
    none: tuple[str, ...] = ()
    status = table.get("status", _statuses, none)
    made = Expect(status, reasons, table.pairs("headers"), table.texts("absent"), table.text("body"))
    table.done()
    return made


def _statuses(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    texts = tuple(str(item) for item in items)
    for text in texts:
        if not (len(text) == 3 and text[0] in "012345" and (text[1:].isdigit() or text[1:] == "xx")):
            raise ValueError(f"{text!r} is no status: write 200, or 4xx")
    return texts


def _spawn(table: Table | None) -> Spawn | None:
    if table is None:
        return None
    made = Spawn(table.text("step"), table.whole("count", 2, 1), table.whole("levels", 1, 1))
    table.done()
    return made


def _data(table: Table, read: Read) -> tuple[Mapping[str, str], ...]:
    """Rows of parameters: tables, or a CSV file beside the script (its first line has the names)."""
    value = table.values.get("data")
    if isinstance(value, str):
        table.text("data")
        return tuple(csv.DictReader(io.StringIO(_beside(table, "data", value, read))))
    return tuple({name: str(each) for name, each in row.values.items()} for row in table.tables("data"))


def _beside(table: Table, key: str, name: str, read: Read) -> str:
    try:
        return read(name)
    except (OSError, ValueError) as fault:
        raise table.fault(key, f"{name!r} can't be read: {fault}", "files stand beside the script") from None


def _calls(table: Table, read: Read) -> tuple[Recorded, ...]:
    """The calls of a replay, in order of time."""
    calls = []
    for at, row in enumerate(table.tables("calls"), 1):
        calls.append(Recorded(row.seconds("at"), _read_step(row, f"call-{at}")))
        row.done()
    return tuple(sorted(calls, key=lambda call: call.at))
