"""The command line in this process, against a gateway in its own."""

import json

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import GatewayProcess


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """A running gateway, shared: a test makes entities of its own on it."""
    with GatewayProcess(tmp_path_factory.mktemp("cli") / "data") as running:
        yield running


class Cli:
    """Runs commands."""

    def __init__(self, environ):
        self.environ = environ

    def __call__(self, *words, code=0):
        """The result of a command that must end with ``code``."""
        result = CliRunner(env=self.environ).invoke(main, list(words), prog_name="aimon-local")
        assert result.exit_code == code, (words, result.output, result.exception)
        return result

    def json(self, *words):
        """What a command prints with ``--json``."""
        return json.loads(self(*words, "--json").stdout)

    def fails(self, *words, code=1):
        """What a failing command says: nothing on stdout, no traceback."""
        result = self(*words, code=code)
        assert result.stdout == ""
        assert isinstance(result.exception, SystemExit)
        return result.stderr


@pytest.fixture
def cli(gateway):
    """Commands that talk to the running gateway."""
    return Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})


@pytest.fixture
def alone(tmp_path):
    """Commands without a gateway: nobody listens there."""
    return Cli({"AIMON_LOCAL_ADMIN": "http://127.0.0.1:1", "AIMON_LOCAL_DATA": str(tmp_path / "data")})
