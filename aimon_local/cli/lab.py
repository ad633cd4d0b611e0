"""``aimon-local lab``: lessons that the gateway watches. It tells the next step; you run it in another terminal.

``start --auto`` runs the commands itself, in a shell, and is how the lessons are tested.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from aimon_local.cli.common import json_option, print_json, print_rows, say_done, talks_to_gateway
from aimon_local.client.admin import AdminClient, AdminError
from aimon_local.client.events import follow
from aimon_local.errors import AimonError, ConfigError

_DEFAULTS = {"proxy": "http://localhost:8000", "admin": "http://localhost:8001", "upstream": "http://localhost:5000"}
_STEP_SECONDS = 20.0  # that a command of --auto may take, and then be recognised in
_LOOK = 0.05

command = click.Group("lab", help="Lessons that the gateway watches, step by step.")


@command.command("list", help="The lessons that come with the program.")
@json_option
def listing(as_json: bool) -> None:
    """Their names and what they teach."""
    rows = [{"name": file.stem, **_head(_parsed(file))} for file in _files()]
    print_rows(rows, ("name", "steps", "title"), as_json)


@command.command("start", help="Begin a lesson: NAME of `lab list`, or a file. It shows each step and waits for you.")
@click.argument("name")
@click.option("--auto", is_flag=True, help="Run the steps' commands here, one after the other.")
@click.option("--no-wait", is_flag=True, help="Begin, show the first step and end; `lab status` shows the rest.")
@json_option
@talks_to_gateway
def start(admin: AdminClient, name: str, auto: bool, no_wait: bool, as_json: bool) -> None:
    """POST /lab, then follow its events; with ``--json`` it only begins."""
    file = _named(name)
    state = admin.post("/lab", {"name": file.stem, "lesson": _parsed(file)})
    if as_json:
        return print_json(state)
    click.echo(f"{state['title']}: {state['about']}")
    if auto:
        return _run_all(admin, state)
    _show(state)
    if not no_wait:
        _follow(admin, state)
    return None


@command.command("status", help="Where the lesson under way is.")
@json_option
@talks_to_gateway
def status(admin: AdminClient, as_json: bool) -> None:
    """GET /lab."""
    state = admin.get("/lab")
    if as_json:
        return print_json(state)
    for number, step in enumerate(state["steps"], 1):
        click.echo(f"{'done' if step['done'] else '    '}  {number:>2}  {step['title']}")
    return _show(state)


@command.command("stop", help="End the lesson under way.")
@json_option
@talks_to_gateway
def stop(admin: AdminClient, as_json: bool) -> None:
    """DELETE /lab."""
    admin.delete("/lab")
    say_done("lesson", "under way", "has ended", as_json)


# ---- for people


def _follow(admin: AdminClient, state: Mapping[str, Any]) -> None:
    """Tell what is done and what comes next, until all is done or Ctrl-C."""
    at = state["step"]
    try:
        for told in follow(admin, "lab", None, lambda text: click.echo(text, err=True), time.sleep):
            now = told.data
            if now["lesson"] != state["lesson"]:
                return click.echo("another lesson has begun")
            if now["step"] > at:
                at = now["step"]
                click.echo(f"✓ {state['steps'][at - 1]['title']}\n")
                _show(admin.get("/lab"))
            elif now["why"]:
                click.echo(f"✗ {now['why']}" + _more(now["request_id"]))
            if now["step"] >= now["steps"]:
                return None
    except KeyboardInterrupt:
        click.echo("the lesson goes on: aimon-local lab status", err=True)
    return None


def _show(state: Mapping[str, Any]) -> None:
    """The step at hand."""
    if state["done"]:
        return click.echo("all steps are done")
    step = state["steps"][state["step"]]
    click.echo(f"step {state['step'] + 1} of {len(state['steps'])}: {step['title']}\n  {step['why']}\n")
    click.echo(f"    {_here(step['run'], state)}\n")
    for variable, field in step["save"].items():
        click.echo(f"  then: export {variable}=…the field {field} of the answer…")
    click.echo(f"  look for: {step['look']}")
    if state["why"]:
        click.echo(f"  last try: {state['why']}" + _more(state["request_id"]))
    return None


def _more(request_id: str | None) -> str:
    return f"\n  more: aimon-local explain {request_id}" if request_id else ""


def _here(text: str, state: Mapping[str, Any]) -> str:
    """A command with the addresses of this gateway in place of the usual ones."""
    for name, usual in _DEFAULTS.items():
        text = text.replace(usual, state["addresses"].get(name, usual))
    return text


# ---- by itself


def _run_all(admin: AdminClient, state: Mapping[str, Any]) -> None:
    """Run each step's command until the gateway has recognised it; raises AimonError for one that it does not."""
    upstream = state["addresses"].get("upstream", "").rpartition(":")[2]
    known = {"AIMON_LOCAL_ADMIN": state["addresses"]["admin"]}
    for number, step in enumerate(state["steps"]):
        run = _here(step["run"], state)
        if upstream:
            run = run.replace("host.docker.internal:5000", f"host.docker.internal:{upstream}")
        printed = _shell(run, known, step["title"])
        known |= {variable: _field(printed, field, step["title"]) for variable, field in step["save"].items()}
        _recognised(admin, number, step["title"], printed)
        click.echo(f"✓ {number + 1:>2}  {step['title']}")


def _shell(run: str, known: Mapping[str, str], title: str) -> str:
    try:
        done = subprocess.run(
            ["bash", "-c", run],
            env={**os.environ, **known, "PATH": _path()},
            capture_output=True,
            text=True,
            timeout=_STEP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise AimonError(f"{title}: {run!r} can't be run: {fault}") from fault
    return done.stdout or done.stderr


def _path() -> str:
    """Where commands are looked up: this program's own folder first, so that ``aimon-local`` is this one."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _recognised(admin: AdminClient, number: int, title: str, printed: str) -> None:
    end = time.monotonic() + _STEP_SECONDS
    while True:
        state = admin.get("/lab")
        if state["step"] > number:
            return
        if time.monotonic() > end:
            why = state["why"] or "the gateway has seen nothing of it"
            raise AimonError(f"{title}: not recognised as done: {why}", f"the command printed: {printed[-500:]}")
        time.sleep(_LOOK)


def _field(printed: str, field: str, title: str) -> str:
    """A field of the last JSON object in what a command printed, whatever stands around it."""
    decoder = json.JSONDecoder()
    for start in reversed([at for at, letter in enumerate(printed) if letter == "{"]):
        try:
            document, _ = decoder.raw_decode(printed, start)
        except ValueError:
            continue
        if isinstance(document, dict) and isinstance(document.get(field), str):
            return str(document[field])
    raise AimonError(f"{title}: the answer has no field {field!r}", printed[-500:])


# ---- files


def _files() -> Iterator[Path]:
    from aimon_local.scenario.shipped import folder

    found = folder()
    yield from sorted((found / "lab").glob("*.toml")) if found else ()


def _named(name: str) -> Path:
    path = Path(name)
    if path.suffix == ".toml":
        return path
    found = next((file for file in _files() if file.stem == name), None)
    if found is None:
        raise AdminError(f"there is no lesson {name!r}", "aimon-local lab list shows them")
    return found


def _parsed(file: Path) -> dict[str, Any]:
    import tomllib

    from aimon_local.model.lesson import read

    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        read(file.stem, document)
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file} can't be read ({fault})", "aimon-local lab list shows what there is") from fault
    except ValueError as fault:
        raise ConfigError(f"{file}: {fault}", "") from fault
    return document


def _head(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": document["title"], "steps": len(document["steps"]), "about": document["about"]}
