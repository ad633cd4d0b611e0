"""The scripts of runaway and of honest agents hold, against a gateway of their own; what a stop costs is told."""

import json

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "name",
    [
        "agent-runaway",
        "agent-key-swap",
        "agent-ping-pong",
        "agent-growing-prompt",
        "retry-storm-of-an-agent",
        "honest-agents",
    ],
)
def test_the_script_holds(name):
    result = CliRunner().invoke(main, ["run", name, "--own", "--json"])
    assert result.exit_code == 0, result.output
    assert "stopped_after" in result.stdout
    assert json.loads(result.stdout)
