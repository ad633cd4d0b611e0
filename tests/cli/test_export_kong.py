"""``export kong`` of a running gateway that the lab's steps set up: decK's form, its gaps, and the way back."""

import json

import pytest
import yaml

from tests.cli.conftest import Cli
from tests.support.deck import faults
from tests.support.live import GatewayProcess


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A gateway of its own: an import replaces everything."""
    with GatewayProcess(tmp_path_factory.mktemp("kong") / "data") as running:
        cli = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*running.admin)})
        cli("service", "create", "ai-service", "--url", "http://host.docker.internal:5000")
        cli("route", "create", "ai-route", "ai-service", "--path", "/ai")
        cli("plugin", "add", "key-auth", "--service", "ai-service")
        yield cli


@pytest.mark.parametrize("edition", ["oss", "enterprise"])
def test_what_deck_reads(lab, tmp_path, edition):
    file = tmp_path / "kong.yaml"
    said = lab("export", "kong", "--edition", edition, "--out", str(file)).stderr
    document = yaml.safe_load(file.read_text())
    assert faults(document) == []
    assert "&id" not in file.read_text()
    service = next(each for each in document["services"] if each["name"] == "ai-service")
    assert service["routes"][0]["name"] == "ai-route"
    assert "gap: tier free: concurrency" in said
    assert "set: DECK_KEY_DEMO_FREE_1: key 1 of the consumer demo-free" in said


def test_json_on_stdout_and_the_report_in_a_file(lab, tmp_path):
    report = tmp_path / "gaps.json"
    document = json.loads(lab("export", "kong", "--gaps", str(report)).stdout)
    assert document["_format_version"] == "3.0"
    assert {"where", "what", "why", "instead"} == set(json.loads(report.read_text())[0])


def test_there_and_back(lab, tmp_path):
    file = tmp_path / "kong.json"
    lab("export", "kong", "--edition", "enterprise", "--out", str(file))
    assert "say --yes" in lab.fails("import", "kong", str(file))
    assert not lab.json("import", "kong", str(file), "--dry-run")["written"]
    keys = {f"DECK_KEY_DEMO_{name}_1": f"key-of-{name}" for name in ("FREE", "PRO")}
    with_keys = Cli({**lab.environ, **keys})
    assert with_keys.json("import", "kong", str(file), "--yes")["gaps"] == []
    again = lab("export", "kong", "--edition", "enterprise").stdout
    assert json.loads(again) == json.loads(file.read_text())
    assert len(lab.json("key", "list")) == 2


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "not valid JSON"),
        ("a.yaml", "a: [", "not valid YAML"),
        ("a.yaml", "just: this", "no declarative configuration of Kong's"),
    ],
)
def test_a_file_that_is_none_is_said(lab, tmp_path, name, text, said):
    file = tmp_path / name
    file.write_text(text)
    assert said in lab.fails("import", "kong", str(file))
    assert "can't be read" in lab.fails("import", "kong", str(tmp_path / "none"))


def test_ways_out_are_listed(cli):
    assert "kong" in cli("export", "--help").output
