"""``aimon-local agent``: consumers that act for an owner, what they may, their tokens and their runs."""

from collections.abc import Sequence
from typing import Any

import click

from aimon_local.cli.common import (
    existing,
    json_option,
    print_entity,
    print_json,
    print_rows,
    say_done,
    talks_to_gateway,
)
from aimon_local.cli.key import DURATION
from aimon_local.client.admin import AdminClient, segment
from aimon_local.model.money import dollars

_LISTS = ("routes", "methods", "models", "tools")
_LIMITS = ("requests", "tokens", "cost", "seconds", "depth", "fanout", "idle_s")
_COLUMNS = ("name", "owner", "enabled", "tier", "scopes", "limits")
_RUNS = ("run", "calls", "denied", "tokens", "usd", "depth", "deny_reasons")


def parse_scopes(texts: Sequence[str]) -> dict[str, Any]:
    """``routes=ai,chat;models=mock-*;max_output_tokens=500``, several of them added up."""
    out: dict[str, Any] = {}
    for part in (piece for text in texts for piece in text.split(";") if piece.strip()):
        name, equals, value = (each.strip() for each in part.partition("="))
        if name == "max_output_tokens" and value.isdigit():
            out[name] = int(value)
        elif name in _LISTS and equals:
            out.setdefault(name, []).extend(each.strip() for each in value.split(",") if each.strip())
        else:
            known = f"{', '.join(_LISTS)} (patterns by comma), max_output_tokens (a number)"
            raise click.UsageError(f"--scopes {part!r}: write NAME=VALUE with {known}")
    return out


def parse_limits(texts: Sequence[str]) -> dict[str, Any]:
    """``requests=100;cost=0.5``."""
    out: dict[str, Any] = {}
    for part in (piece for text in texts for piece in text.split(";") if piece.strip()):
        name, _, value = (each.strip() for each in part.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name not in _LIMITS or number < 0:
            raise click.UsageError(f"--limits {part!r}: write NAME=NUMBER with one of {', '.join(_LIMITS)}")
        out[name] = int(number) if number == int(number) else number
    return out


def _path(name: str) -> str:
    return f"/agents/{segment(name)}"


@click.group(help="Create, list, show and revoke agents; mint their tokens; see their runs.")
def command() -> None:
    """Hold the commands."""


_scopes_option = click.option(
    "--scopes",
    "scopes",
    multiple=True,
    metavar="NAME=PATTERNS",
    help="It may: routes=ai;methods=POST;models=mock-*",
)


@command.command("create", help="Create the agent NAME and its key, and print the key: the only time it is shown.")
@click.argument("name")
@click.option("--owner", required=True, help="The consumer that it acts for.")
@_scopes_option
@click.option("--limits", "limits", multiple=True, metavar="NAME=N", help="Of one run: requests=100;cost=0.5;depth=4")
@click.option("--tier", default=None, help="The tier that it joins; agent, where nothing is said.")
@click.option("--no-key", is_flag=True, help="Make no key: it will use tokens.")
@json_option
@talks_to_gateway
def create(
    admin: AdminClient,
    name: str,
    owner: str,
    scopes: Sequence[str],
    limits: Sequence[str],
    tier: str | None,
    no_key: bool,
    as_json: bool,
) -> None:
    """POST /agents, and a key for its consumer."""
    body: dict[str, Any] = {"name": name, "owner": owner, "scopes": parse_scopes(scopes)}
    body |= {"limits": parse_limits(limits)} if limits else {}
    body |= {"tier": tier} if tier else {}
    made = admin.post("/agents", body)
    key = None if no_key else admin.post(f"/consumers/{segment(made['consumer']['id'])}/key-auth", {})["key"]
    if as_json:
        return print_json({**made, "key": key})
    if key is not None:
        click.echo(key)
    missing = [each for each in ("routes", "methods") if not body["scopes"].get(each)]
    click.echo(f"agent {name} acts for {owner}; {'no key' if no_key else 'the key is not shown again'}", err=True)
    if missing:
        click.echo(f"its scopes name no {' and no '.join(missing)}: all its calls will be refused", err=True)
    return None


@command.command("list", help="List all agents.")
@json_option
@talks_to_gateway
def list_all(admin: AdminClient, as_json: bool) -> None:
    """GET /agents."""
    rows = list(admin.pages("/agents"))
    if not as_json:
        names = {row["id"]: row.get("username") or row.get("custom_id") for row in admin.pages("/consumers")}
        rows = [{**row, "owner": names.get(row["owner"]["id"], f"{row['owner']['id']} (gone)")} for row in rows]
    print_rows(rows, _COLUMNS, as_json)


@command.command("show", help="Show the agent NAME.")
@click.argument("name")
@json_option
@talks_to_gateway
def show(admin: AdminClient, name: str, as_json: bool) -> None:
    """GET /agents/NAME."""
    print_entity(existing(admin, "agent", name, _path(name)), as_json, ("id", "name"))


@command.command("delete", help="Delete the agent NAME, with its consumer and its keys.")
@click.argument("name")
@json_option
@talks_to_gateway
def delete(admin: AdminClient, name: str, as_json: bool) -> None:
    """DELETE /agents/NAME."""
    existing(admin, "agent", name, _path(name))
    admin.delete(_path(name))
    say_done("agent", name, "deleted", as_json)


@command.command("revoke", help="Refuse the agent NAME from its next request on; or only its --tokens.")
@click.argument("name")
@click.option("--tokens", "all_tokens", is_flag=True, help="Make all its tokens void; its keys go on.")
@click.option("--token-id", "one", default=None, metavar="ID", help="Make one token void.")
@click.option("--undo", is_flag=True, help="Let it in again.")
@json_option
@talks_to_gateway
def revoke(admin: AdminClient, name: str, all_tokens: bool, one: str | None, undo: bool, as_json: bool) -> None:
    """PATCH enabled, or DELETE tokens."""
    existing(admin, "agent", name, _path(name))
    if one is not None:
        admin.delete(f"{_path(name)}/tokens/{segment(one)}")
    elif all_tokens:
        admin.delete(f"{_path(name)}/tokens")
    else:
        admin.patch(_path(name), {"enabled": undo})
    what = f"token {one} of" if one else "all tokens of" if all_tokens else ""
    say_done(f"{what} agent".strip(), name, "enabled" if undo else "revoked", as_json)


@command.command("token", help="Mint a short-lived token for the agent NAME and print it.")
@click.argument("name")
@click.option("--ttl", type=DURATION, default=900, show_default=True, help="How long it holds: 90, 15m; at most 1d.")
@_scopes_option
@click.option("--run", default=None, help="The run that its calls belong to.")
@click.option("--requests", type=int, default=None, help="Its budget of requests.")
@click.option("--tokens", type=int, default=None, help="Its budget of tokens.")
@click.option("--usd", type=float, default=None, help="Its budget of dollars.")
@json_option
@talks_to_gateway
def token(
    admin: AdminClient,
    name: str,
    ttl: int,
    scopes: Sequence[str],
    run: str | None,
    as_json: bool,
    **budget: float | None,
) -> None:
    """POST /agents/NAME/tokens."""
    body: dict[str, Any] = {"ttl": ttl}
    known = {key: value for key, value in budget.items() if value is not None}
    given = (("scopes", parse_scopes(scopes)), ("run", run), ("budget", known))
    body |= {key: value for key, value in given if value}
    existing(admin, "agent", name, _path(name))
    made = admin.post(f"{_path(name)}/tokens", body)
    if as_json:
        return print_json(made)
    click.echo(made["token"])
    return click.echo(f"id {made['jti']}; it holds for {ttl} s", err=True)


@command.command("runs", help="List the runs of the agent NAME, the last one first.")
@click.argument("name")
@json_option
@talks_to_gateway
def runs(admin: AdminClient, name: str, as_json: bool) -> None:
    """GET /agents/NAME/runs."""
    rows = existing(admin, "agent", name, f"{_path(name)}/runs")["data"]
    if as_json:
        return print_json(rows)
    return print_rows([{**row, "usd": dollars(row["cost"])} for row in rows], _RUNS, False)
