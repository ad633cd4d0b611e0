"""How commands print: JSON for programs, columns for people, nothing that a terminal would obey."""

import json

import pytest

from aimon_local.cli import common
from aimon_local.cli.common import cell_text, print_entity, print_rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "True"),
        (5, "5"),
        ({"id": "x"}, "x"),
        ({"a": 1, "b": None, "c": False, "d": ["x", "y"]}, "a=1 d=x,y"),
        ([{"unit": "requests", "amount": 5}, {"unit": "cost"}], "unit=requests amount=5; unit=cost"),
        (["a", "b"], "a,b"),
        ([], ""),
        ("ä", "ä"),
        ("a\x1b[31mb\nc", "a\\u001b[31mb\\nc"),
    ],
)
def test_cells(value, text):
    assert cell_text(value) == text


def test_rows_are_aligned_columns(capsys):
    print_rows([{"name": "a", "id": 1}, {"name": "longer"}], ("name", "id"), False)
    assert capsys.readouterr().out == "NAME    ID\na       1\nlonger  -\n"
    print_rows([], ("name", "id"), False)
    assert capsys.readouterr().out == "NAME  ID\n"


def test_rows_as_json_are_whole(capsys):
    rows = [{"name": "a", "more": {"x": "ä"}}]
    print_rows(iter(rows), ("name",), True)
    assert json.loads(capsys.readouterr().out) == rows


def test_an_entity_begins_with_what_matters(capsys):
    print_entity({"tags": ["t"], "id": "1", "name": None, "path": None}, False, ("id", "name"))
    assert capsys.readouterr().out == "id: 1\nname: -\ntags: t\n"


def test_the_token_of_the_environment_is_sent(cli, monkeypatch):
    seen = []
    monkeypatch.setattr(common, "AdminClient", lambda url, token: seen.append((url, token)) or exit_at_once())
    cli.environ = {**cli.environ, "AIMON_LOCAL_TOKEN": "t"}
    cli("usage", code=1)
    assert seen == [(cli.environ["AIMON_LOCAL_ADMIN"], "t")]


def exit_at_once():
    raise common.AdminError("enough")


def test_what_is_not_there_is_said_by_name(cli):
    assert "nobody" in cli.fails("consumer", "show", "nobody")
