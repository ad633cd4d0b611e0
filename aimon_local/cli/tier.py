"""``aimon-local tier``: what is sold: tiers, who is in which, what is armed; and whole offers as files.

``apply`` takes a TOML or JSON file as aimon.toml may hold it (tiers, price plans, the price book) and makes it so;
``export`` writes what holds in the same form.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import existing, json_option, print_json, print_rows, say_done, talks_to_gateway
from aimon_local.cli.entity import Kind, commands
from aimon_local.client.admin import AdminClient, segment
from aimon_local.errors import ConfigError

command = commands(Kind("tier", "/tiers", "name", ("name", "limits", "models", "plan", "consumer", "route")))
_NAMED = ("price_plans", "tiers", "agents")


@command.command("assign", help="Put a consumer into a tier, and out of every other one.")
@click.argument("consumer")
@click.argument("tier")
@json_option
@talks_to_gateway
def assign(admin: AdminClient, consumer: str, tier: str, as_json: bool) -> None:
    """A consumer has one tier."""
    existing(admin, "tier", tier, f"/tiers/{segment(tier)}")
    existing(admin, "consumer", consumer, f"/consumers/{segment(consumer)}")
    path = f"/consumers/{segment(consumer)}/consumer_groups"
    sold = {row["name"] for row in admin.pages("/tiers") if not row["consumer"] and not row["route"]}
    held = {row["name"] for row in admin.get(path)["data"]}
    if tier not in held:
        admin.post(path, {"group": tier})
    for other in sorted((held & sold) - {tier}):
        admin.delete(f"{path}/{segment(other)}")
    say_done("consumer", consumer, f"is in the tier {tier}", as_json)


@command.command("armed", help="Show on how many consumers and routes each limit acts. Exit code 1: one can't act.")
@json_option
@talks_to_gateway
@click.pass_context
def armed(ctx: click.Context, admin: AdminClient, as_json: bool) -> None:
    """GET /armed."""
    found = admin.get("/armed")
    print_rows(found["data"], ("tier", "rule", "consumers", "routes", "fault"), as_json)
    if found["faults"]:
        ctx.exit(1)


@command.command("apply", help="Make the tiers, price plans and prices of a TOML or JSON file hold.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--allow-unarmed", is_flag=True, help="Write though a rule of a tier can't act.")
@json_option
@talks_to_gateway
def apply(admin: AdminClient, file: Path, allow_unarmed: bool, as_json: bool) -> None:
    """Rows are known by name, prices by model and day; what the file does not name stays.

    Plans and prices come first: a tier is refused whose rules can't act, such as for want of its plan. What was
    written before a refusal stays.
    """
    written = [f"{kind} {_write(admin, kind, row, allow_unarmed)}" for kind, row in _read(file)]
    if as_json:
        return print_json({"written": written})
    return click.echo(f"{len(written)} written: {', '.join(written)}", err=True)


def _read(file: Path) -> list[tuple[str, dict[str, Any]]]:
    from aimon_local.config import offers

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} can't be read ({error})", "is the path right?") from error
    if file.suffix != ".json":
        return offers.parse(text, str(file))
    try:
        return offers.read(json.loads(text), str(file), text)
    except ValueError as error:
        raise ConfigError(f"{file}: not valid JSON: {error}", "") from error


def _write(admin: AdminClient, kind: str, row: Mapping[str, Any], allow_unarmed: bool) -> str:
    if kind in _NAMED:
        more = "?allow_unarmed=1" if allow_unarmed and kind == "tiers" else ""
        admin.call("PUT", f"/{kind}/{segment(row['name'])}{more}", row)
        return str(row["name"])
    since = row.get("since", 0)
    lines = admin.pages(f"/{kind}")
    same = next((line for line in lines if line["model"] == row["model"] and line["since"] == since), None)
    if same is None:
        admin.post(f"/{kind}", row)
    else:
        admin.call("PUT", f"/{kind}/{same['id']}", row)
    return str(row["model"])


@command.command("export", help="Print all tiers, price plans and prices as TOML, as apply and aimon.toml take them.")
@json_option
@talks_to_gateway
def export(admin: AdminClient, as_json: bool) -> None:
    """References are written by name."""
    from aimon_local.config import offers

    people = {row["id"]: row["username"] for row in admin.pages("/consumers")}
    names = {
        "consumer": people,
        "owner": people,
        "route": {row["id"]: row["name"] for row in admin.pages("/routes")},
    }
    rows = [(kind, _by_name(row, names)) for kind in offers.KINDS for row in admin.pages(f"/{kind}")]
    if as_json:
        return print_json(offers.as_document(rows))
    return click.echo(offers.dumps(rows), nl=False)


def _by_name(row: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        key: known.get(value["id"], value["id"]) if (known := names.get(key)) is not None and value else value
        for key, value in row.items()
    }
