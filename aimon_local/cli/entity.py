"""The commands that services, routes and consumers share: create, list, show, delete.

A kind of entity is a ``Kind``: its path, its columns and the options of ``create``. Fields that have no option of
their own are set as on the Admin API, by ``--set field=value`` (JSON values are read as JSON).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from aimon_local.cli.common import existing, json_option, print_entity, print_rows, say_done, talks_to_gateway
from aimon_local.client.admin import AdminClient, segment


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entity as the command line sees it."""

    word: str
    path: str  # of the collection
    key: str  # the field that names it
    columns: Sequence[str]
    options: Sequence[Callable[[Any], Any]] = ()  # click options of ``create``; each sets the field of its name


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """``a.b=1`` pairs as a nested object; raises UsageError for a pair without ``=``."""
    document: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set {pair!r}: write it as field=value, for example --set retries=2")
        target = document
        *parents, last = name.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise click.UsageError(f"--set {pair!r}: {parent!r} has a value already, it can't hold fields too")
        target[last] = _value(text)
    return document


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


set_option = click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Any other field.")


def commands(kind: Kind) -> click.Group:
    """The group of one kind."""

    @click.group(help=f"Create, list, show and delete {kind.word}s.")
    def group() -> None:
        """Hold the commands."""

    @group.command("create", help=f"Create a {kind.word}.")
    @click.argument("name")
    @set_option
    @json_option
    @talks_to_gateway
    def create(admin: AdminClient, name: str, settings: Sequence[str], as_json: bool, **fields: Any) -> None:
        body = {kind.key: name, **{field: value for field, value in fields.items() if value not in (None, ())}}
        for field, value in body.items():
            if isinstance(value, tuple):
                body[field] = list(value)
        print_entity(admin.post(kind.path, {**body, **parse_settings(settings)}), as_json, ("id", kind.key))

    for option in kind.options:
        create = option(create)

    @group.command("list", help=f"List all {kind.word}s.")
    @json_option
    @talks_to_gateway
    def list_all(admin: AdminClient, as_json: bool) -> None:
        print_rows(admin.pages(kind.path), kind.columns, as_json)

    @group.command("show", help=f"Show one {kind.word}, by name or id.")
    @click.argument("name")
    @json_option
    @talks_to_gateway
    def show(admin: AdminClient, name: str, as_json: bool) -> None:
        print_entity(existing(admin, kind.word, name, f"{kind.path}/{segment(name)}"), as_json, ("id", kind.key))

    @group.command("delete", help=f"Delete a {kind.word}, by name or id.")
    @click.argument("name")
    @json_option
    @talks_to_gateway
    def delete(admin: AdminClient, name: str, as_json: bool) -> None:
        existing(admin, kind.word, name, f"{kind.path}/{segment(name)}")  # Kong answers 204 for what never was
        admin.delete(f"{kind.path}/{segment(name)}")
        say_done(kind.word, name, "deleted", as_json)

    return group
