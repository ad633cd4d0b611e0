"""``aimon-local what-if``: the recorded traffic under other tiers and prices, beside what really came of it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_csv, print_json, print_rows, talks_to_gateway
from aimon_local.cli.usage import given, since_option, until_option
from aimon_local.client.admin import AdminClient
from aimon_local.errors import ConfigError

_COLUMNS = ("of", "offer", "calls", "allowed", "denied", "tokens", "cost", "charge", "fees", "revenue", "margin")
_SECONDS = 600.0  # a month of calls takes a while


@click.command("what-if", help="Decide recorded calls again under other tiers and prices; stores nothing.")
@click.option(
    "--plan",
    "plans",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="A TOML file with tiers, price plans, prices; over what holds now. Repeatable: side by side.",
)
@click.option("--move", "moves", multiple=True, metavar="CONSUMER=TIER", help="As if in that tier. Repeatable.")
@click.option(
    "--by", type=click.Choice(["tier", "consumer"]), default="tier", show_default=True, help="A line for each."
)
@since_option
@until_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@talks_to_gateway
def command(
    admin: AdminClient,
    plans: tuple[Path, ...],
    moves: tuple[str, ...],
    by: str,
    as_json: bool,
    as_csv: bool,
    **asked: Any,
) -> None:
    """POST /what-if."""
    body = {
        "plans": [_plan(file) for file in plans] or [{"name": "moved" if moves else "as it is", "offers": {}}],
        **given(asked),
    }
    found = admin.patient(_SECONDS).post("/what-if", {**body, "moves": dict(_move(text) for text in moves)})
    if as_json:
        return print_json(found)
    rows = list(_rows(found["plans"], f"{by}s"))
    if as_csv:
        return print_csv(rows, _COLUMNS)
    print_rows(rows, _COLUMNS, False)
    for plan in found["plans"]:
        for line in _told(plan):
            click.echo(line)
    return None


def _plan(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file} can't be read ({fault})", "is the path right?") from fault
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{file}: not valid TOML: {fault}", "TOML: https://toml.io") from fault
    from aimon_local.config import offers

    rows = offers.read(document, str(file), text)  # faults are told with their line here, before anything is asked
    return {"name": file.stem, "offers": offers.as_document(rows)}


def _move(text: str) -> tuple[str, str]:
    consumer, equals, tier = text.partition("=")
    if not (consumer and equals and tier):
        raise click.BadParameter(f"{text!r} must be CONSUMER=TIER", param_hint="--move")
    return consumer, tier


def _rows(plans: list[dict[str, Any]], part: str) -> Iterator[dict[str, Any]]:
    """A line for each part and offer, and for all together."""
    recorded = plans[0]["recorded"]
    names = sorted(set(recorded[part]).union(*(plan["other"][part] for plan in plans)))
    offers = [("recorded", recorded), *((plan["name"], plan["other"]) for plan in plans)]
    for name in names:
        yield from ({"of": name, "offer": label, **offer[part].get(name, {})} for label, offer in offers)
    yield from ({"of": "all", "offer": label, **offer["total"]} for label, offer in offers)


def _told(plan: Mapping[str, Any]) -> Iterator[str]:
    """The difference in words."""
    was, now = plan["recorded"]["total"], plan["other"]["total"]
    yield f"{plan['name']}: {plan['newly_denied']} calls more refused, {plan['newly_allowed']} more admitted"
    tokens = now["tokens"] - was["tokens"]
    share = f" ({100 * tokens / was['tokens']:+.1f} %)" if was["tokens"] else ""
    money = {name: Decimal(now[name]) - Decimal(was[name]) for name in ("revenue", "cost", "margin")}
    yield (
        f"  tokens {tokens:+d}{share}: revenue {_usd(money['revenue'])}, cost {_usd(money['cost'])}, "
        f"margin {_usd(money['margin'])}"
    )
    if now["assumed"]:
        yield f"  of that, what {now['assumed']} calls would use is a guess: they were refused, nobody saw them run"


def _usd(value: Decimal) -> str:
    return f"{'-' if value < 0 else '+'}${abs(value):f}"
