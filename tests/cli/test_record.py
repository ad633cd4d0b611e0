"""``record``: what went through a gateway is replayed on another, call for call."""

import json

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from tests.support.live import GatewayProcess, ask

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("record") / "data") as running:
        yield running


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_traffic_is_recorded_and_replayed(gateway, tmp_path):
    body = json.dumps(
        {"model": "mock-small", "messages": [{"role": "user", "content": "a secret prompt"}], "max_tokens": 9}
    )
    for _ in range(3):
        reply = ask(
            gateway.proxy, "POST", "/demo/v1/chat/completions", body, apikey=gateway.keys["demo-free"],
            Content_Type="application/json",
        )  # fmt: skip
        assert reply.status == 200
    out = tmp_path / "out.toml"
    admin = "http://{}:{}".format(*gateway.admin)
    result = run("record", "--admin-url", admin, "--since", "1h", "--out", out)
    assert result.exit_code == 0, result.output
    assert "secret" not in out.read_text()
    printed = run("record", "--admin-url", admin, "--json")
    assert len(json.loads(printed.stdout)["actors"]["demo-free"]["calls"]) == 3
    replayed = run("run", out, "--own", "--json")
    assert replayed.exit_code == 0, replayed.output
    (document,) = json.loads(replayed.stdout)
    assert document["totals"]["by_status"] == {"200": 3}
    assert document["upstream"]["output_tokens"] == 27


def test_nothing_to_record_and_no_har(gateway, tmp_path):
    admin = "http://{}:{}".format(*gateway.admin)
    assert run("record", "--admin-url", admin, "--consumer", "demo-pro").exit_code == 1
    assert run("record", "--har", tmp_path / "none.har").exit_code == 1
