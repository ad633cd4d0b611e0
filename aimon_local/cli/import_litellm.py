"""``aimon-local import litellm FILE``: a LiteLLM proxy's models, keys and budgets, laid over what is here."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, talks_to_gateway
from aimon_local.cli.importing import parsed
from aimon_local.client.admin import AdminClient, AdminError
from aimon_local.exports import gaps
from aimon_local.exports.litellm import MASTER, read
from aimon_local.exports.merge import Done, laid_over

TAG = "litellm"
_SIGNS = {"new": "+", "changed": "~", "same": "=", "kept": "!"}


@click.command("litellm", help="Take over the models, keys and budgets of a LiteLLM proxy (its config.yaml).")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Its keys and budgets: the answer of its /key/list?return_full_object=true.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and the gaps; change nothing.")
@json_option
@talks_to_gateway
def command(admin: AdminClient, file: Path, keys: Path | None, dry_run: bool, as_json: bool) -> None:
    """Nothing is taken away: what is new is added, what an earlier import made is brought up to date.

    Values as os.environ/NAME come from this command's environment. In the list, + is new, ~ changed, = the same,
    ! somebody else's of that name, which stays as it is.
    """
    there = json.loads(admin.get("/config", format="json")["config"])
    priced = [each["model"] for each in there.get("model_prices", [])]
    found = read(parsed(file), None if keys is None else parsed(keys), os.environ, priced)
    now = int(admin.get("/clock")["at_ns"]) // 1_000_000_000
    document, done = laid_over(there, found.document, TAG, now)
    lost = [*found.gaps, *_kept(done)]
    if not dry_run:
        admin.call("POST", "/config", document)
        if found.master_key and all(each.what != "kept" for each in done if each.name == MASTER):
            _open(admin, found.master_key)
    _say(done, lost, dry_run, as_json)


def _kept(done: Iterable[Done]) -> list[gaps.Gap]:
    why, instead = "one of that name is here, and no import made it: it stays as it is", "rename it, and import again"
    return [gaps.Gap(each.kind, each.name, why, instead) for each in done if each.what == "kept"]


def _open(admin: AdminClient, key: str) -> None:
    """Let the master key in, if it is not in already."""
    try:
        admin.post(f"/consumers/{MASTER}/key-auth", {"key": key, "tags": [TAG]})
    except AdminError as fault:
        if fault.status != 409:
            raise


def _say(done: list[Done], lost: list[gaps.Gap], dry_run: bool, as_json: bool) -> None:
    if as_json:
        made: list[dict[str, Any]] = [{"kind": each.kind, "name": each.name, "done": each.what} for each in done]
        return print_json({"gaps": gaps.report(lost), "made": made, "written": not dry_run})
    for each in done:
        click.echo(f"{_SIGNS[each.what]} {each.kind} {each.name}")
    for line in gaps.lines(lost):
        click.echo(f"gap: {line}", err=True)
    return click.echo("nothing was changed" if dry_run else "it holds for the next request", err=True)
