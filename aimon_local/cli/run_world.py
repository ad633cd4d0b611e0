"""The gateway that a script is played on: one that runs already, or a throw-away child of our own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aimon_local.client.admin import DEFAULT_URL, AdminClient, AdminError
from aimon_local.errors import ConfigError, StartError
from aimon_local.scenario.http1 import Address
from aimon_local.scenario.world import World

_FREE = ("--empty", "--proxy-port", "0", "--admin-port", "0", "--upstream-port", "0")
_END = 10.0  # seconds that a child has to end


def address(url: str, port: int) -> Address:
    """Host and port of an address; ConfigError: it is none."""
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or port
    except ValueError:
        host = None
    if not host or parts.scheme != "http":
        raise ConfigError(f"{url!r} is not an address", "give it as http://127.0.0.1:8000")
    return host, port


def found_world(url: str | None, admin_url: str | None, mock_url: str | None, token: str | None) -> World | None:
    """The running gateway; None: none was named, none answers. AdminError: the named one does not."""
    try:
        return running(url, admin_url or DEFAULT_URL, mock_url, token)
    except AdminError as fault:
        if fault.status or url or admin_url:
            raise
        return None


def running(url: str | None, admin_url: str, mock_url: str | None, token: str | None) -> World:
    """A running gateway's addresses, as far as they are given or it tells them."""
    host, port = address(admin_url, 8001)
    admin = AdminClient(admin_url, token)
    admin.get("/")
    proxy = address(url, 8000) if url else (host, 8000)
    mock = address(mock_url, 5000) if mock_url else _mock_of(admin)
    return World(proxy, (host, port), mock, token)


def _mock_of(admin: AdminClient) -> Address | None:
    """Where the demo's service leads: the built-in upstream."""
    try:
        service = admin.get("/services/demo-service")
    except AdminError:
        return None
    return str(service["host"]), int(service["port"])


@contextmanager
def own_world(*options: str) -> Iterator[World]:
    """A gateway in a child, with data that goes with it."""
    with tempfile.TemporaryDirectory(prefix="aimon-local-") as data:
        start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-m", "aimon_local"]
        command = [*start, "up", "--headless", "--data", data, "--log-format", "json", *_FREE, *options]
        hidden = {"AIMON_LOCAL_CONFIG", "AIMON_LOCAL_DATA", "AIMON_LOCAL_TOKEN"}  # the learner's own are not the case's
        environ = {name: value for name, value in os.environ.items() if name not in hidden}
        said = Path(data, "stderr")
        with said.open("wb") as errors:  # a file: a pipe that nobody reads would stop a child that says much
            child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, env=environ,
            start_new_session=True,  # Ctrl-C is for us: the child is needed for the report
        )  # fmt: skip
        try:
            yield _ready(child, said)
        finally:
            child.terminate()
            try:
                child.communicate(timeout=_END)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()


def _ready(child: "subprocess.Popen[bytes]", log: Path) -> World:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        child.wait(_END)
        said = log.read_text(encoding="utf-8", errors="replace").strip()
        raise StartError(f"the throw-away gateway did not start: {said[-500:]}", "does aimon-local up start?")
    ready: dict[str, Any] = json.loads(line)
    proxy, admin, mock = (address(ready[name], 0) for name in ("proxy", "admin", "upstream"))
    return World(proxy, admin, mock, own=True)
