"""``export usage`` of real calls: every row of the ledger once, and an export that goes on where the last one ended."""

import csv
import io
import json

import pytest

from tests.cli.conftest import Cli
from tests.support.live import GatewayProcess, ask

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("export") / "data", "--empty") as running:
        host, port = running.builtin
        running.write("POST", "/services", {"name": "plain", "url": f"http://{host}:{port}"})
        running.write("POST", "/services/plain/routes", {"name": "plain", "paths": ["/plain"]})
        running.plugin("plain", "key-auth")
        yield running


def cli(gateway):
    return Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})


def call(gateway, key, times):
    for _ in range(times):
        assert ask(gateway.proxy, "GET", "/plain/get", apikey=key).status == 200


def test_an_export_goes_on_where_the_last_one_ended(gateway):
    name, key = gateway.consumer()
    call(gateway, key, 3)
    first = cli(gateway)("export", "usage", "--format", "cloudevents")
    reached = first.stderr.split("--after ")[1].strip()
    call(gateway, key, 2)
    second = cli(gateway)("export", "usage", "--format", "cloudevents", "--after", reached)
    events = [json.loads(line) for line in (first.stdout + second.stdout).splitlines()]
    mine = [each for each in events if each["subject"] == name]
    assert len({each["id"] for each in mine}) == len(mine) == 5
    assert {each["data"]["service"] for each in mine} == {"plain"}


def test_every_form_can_be_written_to_a_file(gateway, tmp_path):
    name, key = gateway.consumer()
    call(gateway, key, 1)
    for form in ("csv", "focus", "openmeter"):
        cli(gateway)("export", "usage", "--format", form, "--out", str(tmp_path / form))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text())))
    assert [row["consumer"] for row in rows].count(name) == 1
    assert "can't be written" in cli(gateway).fails(
        "export", "usage", "--format", "csv", "--out", str(tmp_path / "none" / "x")
    )


def test_what_the_feed_is_asked_wrongly_it_says(gateway):
    for query in ("after=x", "size=0", "since=never"):
        assert ask(gateway.admin, "GET", f"/requests/feed?{query}").status == 400
