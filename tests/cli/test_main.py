"""The group: what it lists, what it imports, how it fails; and the README's table of it."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from aimon_local import __version__
from aimon_local.cli.main import COMMANDS
from tests.support.live import COMMAND

README = Path(__file__).resolve().parents[2] / "README.md"


def leaves(command, *words):
    """All commands below one, with their words."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), *words, name)


ALL = [
    leaf
    for name, (module, _) in COMMANDS.items()
    for leaf in leaves(importlib.import_module(f"aimon_local.cli.{module}").command, name)
]


def test_the_readmes_table_lists_every_command():
    section = README.read_text(encoding="utf-8").split("\n## Commands\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    words = {word for row in rows for quoted in re.findall(r"`([^`]+)`", row) for word in quoted.split()}
    assert set(COMMANDS) <= words
    assert {word for word in words if word.islower()} - {"aimon-local"} == set(COMMANDS)


@pytest.mark.parametrize(("words", "command"), ALL, ids=lambda each: " ".join(each) if isinstance(each, tuple) else "")
def test_every_command_and_option_says_what_it_does(words, command):
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, (words, option.name)


@pytest.mark.parametrize(("words", "command"), ALL, ids=lambda each: " ".join(each) if isinstance(each, tuple) else "")
def test_what_prints_data_takes_json(words, command):
    if words[0] not in ("up", "tui", "top", "export"):  # a screen, or a form of its own
        assert "--json" in {name for option in command.params for name in option.opts}


def test_help_lists_all_and_imports_none():
    code = (
        "import sys; sys.argv = ['aimon-local', '--help']\n"
        "from aimon_local.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith(('aimon_local.', 'textual', 'sqlite3', 'h11'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    *text, modules = done.stdout.splitlines()
    assert modules == "['aimon_local.cli', 'aimon_local.cli.main', 'aimon_local.errors']"
    for name, (_, says) in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, says] for line in text if line.strip())


def test_it_is_a_module_too():
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == f"aimon-local {__version__}\n"


def test_a_fault_is_two_lines_and_exit_code_1(alone):
    error, hint = alone.fails("consumer", "list").splitlines()
    assert error.startswith("error: no gateway answers on http://127.0.0.1:1")
    assert hint == "hint:  start one with: aimon-local up"


@pytest.mark.parametrize(
    "words", [("nothing",), ("key", "nothing"), ("consumer", "create"), ("up", "--proxy-port", "x")]
)
def test_a_wrong_command_line_is_exit_code_2(alone, words):
    assert "Error" in alone.fails(*words, code=2)
