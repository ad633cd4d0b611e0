"""Tries an installed or bundled ``aimon-local`` as its users would: ``python -m tests.bundle dist/aimon-local``.

Every command shows its help, the gateway starts, serves its first call and ends; what can't be done is printed and the
exit code is 1. It takes nothing from this checkout, so it says what the file by itself can do.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.terminal import Terminal

READY_SECONDS = 20.0
PAGES = {
    "2": "requests",
    "3": "lab-free-vs-pro",
    "4": "WAITS FOR YOU",
    "5": "today by tier",
    "6": "what is configured",
    "7": "Lessons",
}
"""The dashboard's pages by their keys, and a text that each of them shows."""
_COMMAND = re.compile(r"^  ([a-z][a-z-]*)\s", re.MULTILINE)


def said(*words: str, seconds: float = 60) -> str:
    """What a command prints; raises where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False, env=alone())
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def alone() -> dict[str, str]:
    """The environment without what could lead the file to this checkout's Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def helps(program: str) -> list[str]:
    """All commands, each of which has shown its help."""
    names = _COMMAND.findall(said(program, "--help").split("Commands:")[1])
    for name in names:
        if "Usage:" not in said(program, name, "--help"):
            raise SystemExit(f"{name} --help: no usage")
    return names


def serves(program: str, data: Path) -> float:
    """Seconds from the start of ``up`` to its first proxied answer; the gateway has ended well."""
    ports = [word for name in ("proxy", "admin", "upstream") for word in (f"--{name}-port", "0")]
    began = time.monotonic()
    words = [program, "up", "--headless", "--data", str(data), *ports]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=alone()) as gateway:
        try:
            port, key = _announced(gateway)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
            connection.request("GET", "/demo/get", headers={"apikey": key})
            status = connection.getresponse().status
            took = time.monotonic() - began
        finally:
            gateway.send_signal(signal.SIGTERM)
        if status != 200 or gateway.wait(READY_SECONDS) != 0:
            raise SystemExit(f"up: first answer {status}, exit code {gateway.returncode}")
    return took


def _announced(gateway: "subprocess.Popen[str]") -> tuple[int, str]:
    port = None
    assert gateway.stdout is not None
    for line in gateway.stdout:
        if line.startswith("proxy"):
            port = int(line.rsplit(":", 1)[1])
        if line.startswith("key") and port is not None:
            return port, line.split()[1]
    raise SystemExit("up: it ended before it was ready")


def plays(program: str) -> int:
    """How many scripts and lessons came with it; one of each is played, on gateways that are its own children."""
    scripts = said(program, "run").splitlines()
    said(program, "run", "big-prompt", "--virtual")
    said(program, "run", "big-prompt")
    return len(scripts) + len(said(program, "lab", "list").splitlines()) - 1


def shows(program: str, data: Path) -> int:
    """How many pages the dashboard has shown, on a terminal, in front of a gateway that it has started itself."""
    words = [word for name in ("proxy", "admin", "upstream") for word in (f"--{name}-port", "0")]
    with Terminal([program, "up", "--data", str(data), *words], **{"PYTHONPATH": ""}) as terminal:
        terminal.until("No traffic yet")
        for key, text in PAGES.items():
            terminal.forget()
            terminal.type(key)
            terminal.until(text)
        if "Traceback" in terminal.text:
            raise SystemExit(terminal.text)
        terminal.type("q")
        terminal.until("Stop the gateway too?")
        terminal.type("y")
        code = terminal.ended()
    if code != 0:
        raise SystemExit(f"up on a terminal: exit code {code}: {terminal.text[-2000:]}")
    return len(PAGES)


def main() -> int:
    """Try one program."""
    program = str(Path(sys.argv[1]).resolve())
    began = time.monotonic()
    print(said(program, "version").splitlines()[0], f"({time.monotonic() - began:.2f} s)")
    print(f"{len(helps(program))} commands show their help")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # what it starts must not find this checkout either
        print(f"first proxied answer after {serves(program, Path(folder) / 'data'):.2f} s")
        print(f"{plays(program)} scripts and lessons came with it")
        print(f"{shows(program, Path(folder) / 'front')} pages shown on a terminal")
        os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
