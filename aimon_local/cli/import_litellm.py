"""``aimon-local import litellm FILE``: a LiteLLM proxy's models, keys and budgets become this gateway's."""

import json
import os
from pathlib import Path

import click

from aimon_local.cli.common import json_option, talks_to_gateway
from aimon_local.cli.importing import parsed, put
from aimon_local.client.admin import AdminClient
from aimon_local.exports.litellm import read


@click.command("litellm", help="Replace the configuration by that of a LiteLLM proxy (its config.yaml).")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Its keys and budgets: the answer of its /key/list?return_full_object=true.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be there, and the gaps; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before replacing what is there.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, file: Path, keys: Path | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Price plans and the price book stay, with the file's prices on top; ``os.environ/…`` is read."""
    there = json.loads(admin.get("/config", format="json")["config"])
    book = there.get("model_prices", [])
    found = read(parsed(file), None if keys is None else parsed(keys), os.environ, [each["model"] for each in book])
    document = dict(found.document)
    new = {each["model"] for each in document["model_prices"]}
    document["model_prices"] = [*(each for each in book if each["model"] not in new), *document["model_prices"]]
    if "price_plans" in there:
        document["price_plans"] = there["price_plans"]
    put(admin, file, there, document, found.gaps, dry_run=dry_run, yes=yes, as_json=as_json)
