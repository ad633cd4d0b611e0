"""``aimon-local clock``: the gateway's clock; show it, freeze, resume, advance, jump, speed, reset it."""

from collections.abc import Mapping
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, talks_to_gateway
from aimon_local.client.admin import AdminClient

_SECOND = 1_000_000_000


@click.group(
    help="Show the gateway's clock, or move it: windows, expiries, prices and the ledger follow at once, and a restart "
    "keeps it.",
    invoke_without_command=True,
)
@json_option
@talks_to_gateway
@click.pass_context
def command(ctx: click.Context, admin: AdminClient, as_json: bool) -> None:
    """GET /clock, unless a command of its own follows."""
    if ctx.invoked_subcommand is None:
        _print(admin.get("/clock"), as_json)


@command.command("show", help="Show what it shows.")
@json_option
@talks_to_gateway
def show(admin: AdminClient, as_json: bool) -> None:
    """GET /clock."""
    _print(admin.get("/clock"), as_json)


@command.command("freeze", help="Let it stand still.")
@json_option
@talks_to_gateway
def freeze(admin: AdminClient, as_json: bool) -> None:
    """POST /clock."""
    _print(admin.post("/clock", {"freeze": True}), as_json)


@command.command("resume", help="Let it go on, at the usual pace, from what it shows.")
@json_option
@talks_to_gateway
def resume(admin: AdminClient, as_json: bool) -> None:
    """POST /clock."""
    _print(admin.post("/clock", {"resume": True}), as_json)


@command.command("reset", help="Set it to the machine's time.")
@json_option
@talks_to_gateway
def reset(admin: AdminClient, as_json: bool) -> None:
    """POST /clock."""
    _print(admin.post("/clock", {"reset": True}), as_json)


@command.command("advance", help="Set it forward by a DURATION: 90s, 30m, 1d12h, 2w.")
@click.argument("duration")
@json_option
@talks_to_gateway
def advance(admin: AdminClient, duration: str, as_json: bool) -> None:
    """POST /clock."""
    _print(admin.post("/clock", {"advance": duration}), as_json)


@command.command("jump", help="Set it to a TIME, later or earlier: 2026-12-31T23:59:58Z.")
@click.argument("time")
@json_option
@talks_to_gateway
def jump(admin: AdminClient, time: str, as_json: bool) -> None:
    """POST /clock."""
    _print(admin.post("/clock", {"jump": time}), as_json)


@command.command("speed", help="Let it run TIMES as fast: 60 makes a minute of each second; 1 is the usual pace.")
@click.argument("times", type=click.IntRange(1, 1_000_000))
@json_option
@talks_to_gateway
def speed(admin: AdminClient, times: int, as_json: bool) -> None:
    """POST /clock."""
    _print(admin.post("/clock", {"speed": times}), as_json)


def _print(clock: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        return print_json(clock)
    click.echo(f"{clock['now']}  ({state(clock)})")
    if clock["moved"]:
        click.echo(f"real time: {clock['real']}", err=True)
    return None


def state(clock: Mapping[str, Any]) -> str:
    """How the clock runs, in words."""
    if not clock["moved"]:
        return "real time"
    shift = clock["shift_ns"]
    seconds = abs(shift) // _SECOND
    days, rest = divmod(seconds, 86_400)
    time = f"{days}d " * (days > 0) + f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    words = [f"{time} {'ahead of' if shift >= 0 else 'behind'} real time"]
    if clock["frozen"]:
        words.insert(0, "frozen")
    elif clock["speed"] != 1:
        words.insert(0, f"speed {clock['speed']}")
    return ", ".join(words)
