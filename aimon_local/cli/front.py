"""``aimon-local up`` on a terminal: the gateway as a child process, the dashboard in front of it.

The child is this same program, headless, in a session of its own: a Ctrl-C or a closed terminal reaches the dashboard
alone, which then decides. What the child says goes to ``gateway.log`` in the data directory.
"""

import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from aimon_local.errors import StartError

if TYPE_CHECKING:
    from aimon_local.gateway.settings import Settings

LOG = "gateway.log"
_ENDS = {"SIGHUP", "SIGTERM"}
_STOP_S = 20  # seconds for what is in flight


def in_front(settings: "Settings", arguments: Sequence[str]) -> None:
    """Start the gateway with the arguments of this command, show the dashboard, stop the gateway or leave it."""
    from aimon_local.cli.tui import run
    from aimon_local.tui.app import LEFT_RUNNING

    child, ready = start(settings, arguments)
    left = None
    for name in _ENDS & set(dir(signal)):
        signal.signal(getattr(signal, name), _end)
    try:
        key = next(iter(ready["keys"].values()), "")
        left = run(ready["admin"], ready["proxy"], settings.admin_token, key=key, owns=True)
    finally:
        with suppress(OSError):  # the terminal may be gone
            for consumer, key in ready["keys"].items():
                click.echo(f"{'key':<9}{key}  ({consumer}; shown this once)")
        if left == LEFT_RUNNING and child.poll() is None:
            click.echo(f"{'gateway':<9}left running as process {child.pid}; aimon-local tui --url {ready['admin']}")
        else:
            stop(child)


def _end(number: int, _: object) -> None:
    """The terminal was closed, or somebody ends us: the gateway must not be left behind."""
    raise SystemExit(128 + number)


def start(settings: "Settings", arguments: Sequence[str]) -> tuple["subprocess.Popen[bytes]", Mapping[str, Any]]:
    """A running gateway and what it said when it was ready; StartError with its own words where it did not start."""
    from aimon_local.tui.play import program

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = settings.data / LOG
    command = [*program(), *arguments, "--headless", "--log-format", "json"]
    with log.open("ab") as said:
        begin = said.tell()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
        )
    assert child.stdout is not None, "it was asked for"
    with child.stdout as out:
        line = out.readline()
    try:
        ready = json.loads(line)
    except ValueError:
        stop(child)
        with log.open("rb") as said:
            said.seek(begin)
            why = said.read().decode("utf-8", "replace").strip()
        raise StartError(
            f"the gateway did not start: {why.removeprefix('error: ')}", f"all it said is in {log}"
        ) from None
    return child, ready


def stop(child: "subprocess.Popen[bytes]") -> None:
    """Let it finish what is in flight; a Ctrl-C meanwhile ends it at once."""
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(_STOP_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()
        child.wait()
