"""``aimon-local events``: a live tail of what happens, a line each, until Ctrl-C. How a kind reads: ``_LINES``."""

import json
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import click

from aimon_local.cli.common import cell_text, json_option, talks_to_gateway
from aimon_local.client.admin import AdminClient
from aimon_local.client.events import Told, follow
from aimon_local.model.moment import rfc3339

Data = Mapping[str, Any]


@click.command(help="Show what happens, as it happens: a line for each event, until Ctrl-C.")
@click.option("--kinds", metavar="A,B", help="Only these: request, alert, guard, config, …")
@click.option("--after", type=click.IntRange(0), help="Begin behind the event of this number; 0: with the oldest.")
@click.option("--count", type=click.IntRange(1), help="End after so many.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, kinds: str | None, after: int | None, count: int | None, as_json: bool) -> None:
    """GET /events; comes back by itself where the connection breaks."""
    try:
        for told in islice(follow(admin, kinds, after, _say, time.sleep), count):
            click.echo(as_document(told) if as_json else as_line(told))
    except KeyboardInterrupt:
        return


def as_document(told: Told) -> str:
    """An event as one line of JSON."""
    return json.dumps({"id": told.number, "event": told.kind, "data": told.data}, ensure_ascii=False)


def as_line(told: Told) -> str:
    """An event for people; a kind that this program does not know yet is shown as it is."""
    at = told.data.get("at_ns")
    made = _LINES[told.kind](told.data) if told.kind in _LINES else json.dumps(told.data)
    return f"{_clock(at) if isinstance(at, int) else '-':<24}  {cell_text(told.kind):<7}  {made}"


def _say(text: str) -> None:
    click.echo(text, err=True)


def _clock(at_ns: int) -> str:
    """To the millisecond, always as wide."""
    text = rfc3339(at_ns // 1_000_000 * 1_000_000)
    return text if "." in text else f"{text[:-1]}.000Z"


def _request(data: Data) -> str:
    who = cell_text(data["consumer"])
    denied = "" if data["decision"] == "allow" else f"  denied: {cell_text(data['deny_reason'])}"
    cut = "" if data["complete"] else "  cut"
    method, spent = cell_text(data["method"]), data["total_us"] / 1000
    return f"{data['status']:<3}  {method:<6}  {who}  {spent:.1f} ms  {cell_text(data['request_id'])}{denied}{cut}"


def _config(data: Data) -> str:
    changes = [f"{each['op']} {each['kind']} {cell_text(each['name'] or each['id'])}" for each in data["changes"]]
    return ", ".join([*changes, f"and {data['more']} more"] if data["more"] else changes)


def _ledger(data: Data) -> str:
    if data["failure"] is None:
        return "writing again"
    return f"can't be written: {cell_text(data['failure'])}"


def _alert(data: Data) -> str:
    used = f"{cell_text(data['used'])} of {cell_text(data['amount'])}"
    return f"{cell_text(data['state'])}  {data['percent']} %  {cell_text(data['consumer'])}  {data['limit']}: {used}"


def _start(data: Data) -> str:
    return f"aimon-local {cell_text(data['version'])}, process {data['pid']}"


def _gap(data: Data) -> str:
    if data["missed"] is None:
        return f"what was before {data['next']} is of an earlier run, or gone"
    return f"{data['missed']} events are lost: they were not read in time"


_LINES: Mapping[str, Callable[[Data], str]] = {
    "request": _request,
    "config": _config,
    "ledger": _ledger,
    "start": _start,
    "alert": _alert,
    "gap": _gap,
}
