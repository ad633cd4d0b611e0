"""Create, list, show, delete, for each kind; fields without an option of their own."""

import click
import pytest

from aimon_local.cli.entity import parse_settings


def test_settings():
    assert parse_settings(["a=1", "b.c=x", "b.d=[1]", "e=", "f=a=b", "g=null", 'h="1"']) == {
        "a": 1, "b": {"c": "x", "d": [1]}, "e": "", "f": "a=b", "g": None, "h": "1",
    }  # fmt: skip
    assert parse_settings([]) == {}


@pytest.mark.parametrize("pairs", [["a"], ["=1"], ["a=1", "a.b=2"]])
def test_settings_that_say_nothing(pairs):
    with pytest.raises(click.UsageError, match="--set"):
        parse_settings(pairs)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("consumer", []), ("service", ["--url", "http://a.test:81/x"]), ("route", ["demo-service", "--path", "/e"])],
)
def test_the_life_of_an_entity(cli, kind, options):
    name = f"entity {kind}/ü?"  # a name is data, no path
    if kind != "consumer":
        name = f"entity-{kind}"
    created = cli.json(kind, "create", name, *options, "--set", 'tags=["x"]')
    assert created["tags"] == ["x"]
    assert created["id"] in {row["id"] for row in cli.json(kind, "list")}
    assert cli.json(kind, "show", name)["id"] == created["id"]
    assert cli.json(kind, "show", created["id"]) == created
    assert f"id: {created['id']}" in cli(kind, "show", name).stdout.splitlines()[0]
    assert created["id"] in cli(kind, "list").stdout
    assert "unique" in cli.fails(kind, "create", name, *options).lower()
    assert cli(kind, "delete", name).stdout == ""
    assert name in cli.fails(kind, "delete", name)
    assert created["id"] not in cli(kind, "list").stdout


def test_a_field_that_is_none_is_refused_in_the_gateways_words(cli):
    assert "nosuch" in cli.fails("consumer", "create", "entity-x", "--set", "nosuch=1")
