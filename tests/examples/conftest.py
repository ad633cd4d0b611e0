"""Examples are run as their readers run them: as programs of their own, against a gateway in its own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aimon_local.policy.plugins.prometheus import SWITCHES
from tests.support.live import GatewayProcess

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Readers:
    """Somebody who follows the examples."""

    def __init__(self, gateway, directory):
        url = "http://{}:{}".format
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.gateway, self.directory = gateway, directory
        self.environ = {
            **{"PATH": path, "HOME": str(directory), "AIMON_LOCAL_ADMIN": url(*gateway.admin)},
            **{"AIMON_PROXY": url(*gateway.proxy), "AIMON_UPSTREAM": url(*gateway.builtin)},
        }

    def run(self, *words, code=0, **environ):
        """What a program prints that must end with ``code``."""
        ran = subprocess.run(
            words,
            env={**self.environ, **environ},
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert ran.returncode == code, (words, ran.stdout, ran.stderr)
        return ran.stdout

    def sh(self, name, *words, **environ):
        """A shell script."""
        return self.run("sh", str(EXAMPLES / name), *words, **environ)

    def python(self, name, **environ):
        """A Python program."""
        return self.run(sys.executable, str(EXAMPLES / name), **environ)

    def cli(self, *words, **environ):
        """A command of ours."""
        return self.run("aimon-local", *words, **environ)


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """With a gateway that was set up by ``setup.sh``, and all metrics: ``reader.key`` is what it printed."""
    directory = tmp_path_factory.mktemp("examples")
    with GatewayProcess(directory / "data") as running:
        made = Readers(running, directory)
        made.key = made.sh("setup.sh").strip()
        made.cli("plugin", "add", "prometheus", *(f"--set={name}=true" for name in SWITCHES))
        yield made
