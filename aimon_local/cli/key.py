"""``aimon-local key``: the life of an API key.

A key is shown once, when it is made; the gateway keeps a keyed hash. ``rotate`` makes the new key before the old one
goes, and can leave the old one a grace time.
"""

import re
from typing import Any

import click

from aimon_local.cli.common import existing, json_option, print_entity, print_rows, say_done, talks_to_gateway
from aimon_local.client.admin import AdminClient, segment

_DURATION = re.compile(r"(\d+)([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Duration(click.ParamType[int]):
    """Seconds, or a number with s, m, h, d or w."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """``"90"``, ``"15m"``, ``"2h"``, ``"1d"`` → seconds."""
        if isinstance(value, int):
            return value
        found = _DURATION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration: write 90, 15m, 2h or 1d", param, ctx)
        return int(found[1]) * _SECONDS[found[2]]


DURATION = Duration()


def keys_path(consumer: str) -> str:
    """The collection of a consumer's keys."""
    return f"/consumers/{segment(consumer)}/key-auth"


@click.group(help="Create, list, rotate, revoke and expire API keys.")
def command() -> None:
    """Hold the commands."""


@command.command("create", help="Create a key for CONSUMER and print it: the only time it is shown.")
@click.argument("consumer")
@click.option("--key", default=None, help="Use this key instead of a random one.")
@click.option("--ttl", type=DURATION, default=None, help="It expires after this time: 90, 15m, 2h, 1d.")
@json_option
@talks_to_gateway
def create(admin: AdminClient, consumer: str, key: str | None, ttl: int | None, as_json: bool) -> None:
    """POST /consumers/CONSUMER/key-auth."""
    body = {name: value for name, value in (("key", key), ("ttl", ttl)) if value is not None}
    created = admin.post(keys_path(consumer), body)
    if as_json:
        return print_entity(created, True, ())
    click.echo(created["key"])
    click.echo(f"id {created['id']}; the key is not shown again", err=True)
    return None


@command.command("list", help="List the keys of CONSUMER, or all keys. Keys are masked.")
@click.argument("consumer", required=False)
@json_option
@talks_to_gateway
def list_all(admin: AdminClient, consumer: str | None, as_json: bool) -> None:
    """GET the keys."""
    path = keys_path(consumer) if consumer else "/key-auths"
    print_rows(admin.pages(path), ("id", "consumer", "key", "ttl", "tags"), as_json)


@command.command("rotate", help="Replace the key ID of CONSUMER: print a new key; the old one ends, after --grace.")
@click.argument("consumer")
@click.argument("key_id", metavar="ID")
@click.option("--grace", type=DURATION, default=0, help="Let the old key work for this long: 15m, 1d.")
@json_option
@talks_to_gateway
def rotate(admin: AdminClient, consumer: str, key_id: str, grace: int, as_json: bool) -> None:
    """POST the new key, then end the old one: a failure in between leaves the caller with a working key."""
    old = f"{keys_path(consumer)}/{segment(key_id)}"
    left = existing(admin, "key", key_id, old).get("ttl")
    created = admin.post(keys_path(consumer))
    if grace and (left is None or left > grace):  # a rotation never makes a key live longer
        admin.patch(old, {"ttl": grace})
    elif not grace:
        admin.delete(old)
    if as_json:
        return print_entity(created, True, ())
    click.echo(created["key"])
    click.echo(f"id {created['id']}; key {key_id} {f'ends in {grace} s' if grace else 'is revoked'}", err=True)
    return None


@command.command("revoke", help="Revoke the key ID of CONSUMER: it is refused from the next request on.")
@click.argument("consumer")
@click.argument("key_id", metavar="ID")
@json_option
@talks_to_gateway
def revoke(admin: AdminClient, consumer: str, key_id: str, as_json: bool) -> None:
    """DELETE the key."""
    existing(admin, "key", key_id, f"{keys_path(consumer)}/{segment(key_id)}")
    admin.delete(f"{keys_path(consumer)}/{segment(key_id)}")
    say_done("key", key_id, "revoked", as_json)


@command.command("expire", help="Let the key ID of CONSUMER expire.")
@click.argument("consumer")
@click.argument("key_id", metavar="ID")
@click.option("--in", "ttl", type=DURATION, required=True, help="The time it has left: 90, 15m, 2h, 1d.")
@json_option
@talks_to_gateway
def expire(admin: AdminClient, consumer: str, key_id: str, ttl: int, as_json: bool) -> None:
    """PATCH the key's ttl."""
    print_entity(admin.patch(f"{keys_path(consumer)}/{segment(key_id)}", {"ttl": ttl}), as_json, ("id", "ttl"))
