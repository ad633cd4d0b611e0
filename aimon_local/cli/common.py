"""What several commands share: the options that name a gateway, and the two forms of a list."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

import click

from aimon_local.client.admin import DEFAULT_URL, AdminClient, AdminError

Command = Callable[..., Any]


def talks_to_gateway(function: Command) -> Command:
    """Add ``--admin-url`` and ``--token``; the command gets an ``AdminClient`` as its first argument."""

    @click.option(
        "--admin-url", default=DEFAULT_URL, envvar="AIMON_LOCAL_ADMIN", show_default=True, help="The Admin API."
    )
    @click.option("--token", envvar="AIMON_LOCAL_TOKEN", default=None, help="The admin token, where one is set.")
    @wraps(function)
    def run(admin_url: str, token: str | None, **arguments: Any) -> Any:
        return function(AdminClient(admin_url, token), **arguments)

    return run


size_option = click.option("--size", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
before_option = click.option(
    "--before", type=click.IntRange(0), help="Go on where a list ended: the number that it said."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """A list: a JSON array, or aligned columns with a header line."""
    rows = list(rows)
    if as_json:
        return print_json(rows)
    cells = [[cell_text(row.get(column)) for column in columns] for row in rows]
    widths = [max([len(name), *(len(line[at]) for line in cells)]) for at, name in enumerate(columns)]
    for line in [[name.upper() for name in columns], *cells]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return None


def print_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """A list as CSV with a header line (RFC 4180, but for line ends, which are the platform's)."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(column) for column in columns] for row in rows)


def existing(admin: AdminClient, what: str, name: str, path: str, listing: str = "") -> Any:
    """The entity at a path; raises AdminError in words of its own where there is none (Kong just says Not found)."""
    try:
        return admin.get(path)
    except AdminError as fault:
        if fault.status != 404:
            raise
        shows = listing or f"aimon-local {what} list"
        raise AdminError(f"there is no {what} {name!r}", f"{shows} shows what is there", 404) from fault


def say_done(what: str, name: str, done: str, as_json: bool) -> None:
    """That a thing is gone: for people on stderr, for programs on stdout."""
    if as_json:
        return print_json({what: name, "done": done})
    return click.echo(f"{what} {name} {done}", err=True)


def cell_text(value: Any) -> str:
    """A value as one cell: lists by comma, references by id; of objects what is set. Control characters shown."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        said = {name: each for name, each in value.items() if each is not None and each is not False}
        return str(value["id"]) if set(value) == {"id"} else " ".join(f"{k}={cell_text(v)}" for k, v in said.items())
    if isinstance(value, list):
        return ("; " if any(isinstance(each, Mapping) for each in value) else ",").join(map(cell_text, value))
    text = str(value)
    return text if text.isprintable() else json.dumps(text)[1:-1]


def print_entity(entity: Mapping[str, Any], as_json: bool, shown: Sequence[str]) -> None:
    """One entity: JSON, or ``name: value`` lines of the fields that matter and all that are set."""
    if as_json:
        return print_json(entity)
    names = [*shown, *(name for name, value in entity.items() if name not in shown and value is not None)]
    for name in names:
        if name in entity:
            click.echo(f"{name}: {cell_text(entity[name])}")
    return None
