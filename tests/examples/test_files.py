"""Files of examples/: each is read by whom it is for, without a network."""

import json
import re

import pytest
import yaml

from aimon_local.config.load import load
from aimon_local.gateway.metrics import FAMILIES
from aimon_local.scenario.shipped import folder
from tests.cli.conftest import Cli
from tests.examples.conftest import EXAMPLES
from tests.support.live import GatewayProcess, ask

pytestmark = pytest.mark.live

_NAME = re.compile(r"\b(?:kong|aimon)_[a-z_]+")
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def dashboard():
    return json.loads((EXAMPLES / "grafana-dashboard.json").read_text())


def parsed(name):
    return yaml.safe_load((EXAMPLES / name).read_text())


def test_the_dashboard_asks_for_series_that_are_served_with_labels_that_they_have():
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    assert len(asked) > 15
    for expression in asked:
        names = _NAME.findall(re.sub(r"\([^()]*\) \(", "(", expression))
        assert names, expression
        families = [FAMILIES[name if name in FAMILIES else _SUFFIX.sub("", name)] for name in names]
        labels = {label for family in families for label in (*family.labels, *(["le"] if family.buckets else []))}
        for by in re.findall(r"by \(([^)]*)\)", expression):
            assert set(by.split(", ")) <= labels, expression


def test_panels_have_places_and_numbers_of_their_own():
    panels = dashboard()["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["datasource"]["uid"] == "prometheus" for panel in panels)


def test_what_the_dashboard_asks_is_served_after_calls(reader):
    body = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5})
    proxy = reader.gateway.proxy
    for key in (reader.key, "wrong"):
        ask(proxy, "POST", "/ai/v1/chat/completions", body, apikey=key, Content_Type="application/json")
    served = ask(reader.gateway.admin, "GET", "/metrics").body.decode()
    series = {line.split("{")[0].split(" ")[0] for line in served.splitlines() if not line.startswith("#")}
    asked = {
        name for panel in dashboard()["panels"] for each in panel["targets"] for name in _NAME.findall(each["expr"])
    }
    assert asked - series <= {"aimon_service_waiting"}  # there where somebody waits
    assert "aimon_denials_total" in series


def test_prometheus_is_told_where_the_metrics_are(reader):
    (job,) = parsed("prometheus.yml")["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["localhost:8001"]}]
    assert ask(reader.gateway.admin, "GET", job["metrics_path"]).status == 200


def test_the_compose_file_mounts_what_is_there():
    services = parsed("docker-compose.yml")["services"]
    assert set(services) == {"prometheus", "grafana"}
    for volume in services["grafana"]["volumes"]:
        assert (EXAMPLES / volume.split(":")[0]).exists()
    scrape = yaml.safe_load(parsed("docker-compose.yml")["configs"]["scrape"]["content"])
    assert scrape["scrape_configs"][0]["metrics_path"] == "/metrics"
    source = parsed("grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    assert source["uid"] == "prometheus"
    assert all(each["ports"][0].startswith("127.0.0.1:") for each in services.values())


@pytest.mark.parametrize("name", sorted(path.name for path in (EXAMPLES / "upstreams").glob("*.yaml")))
def test_an_upstream_is_taken_over_without_a_gap_and_nobody_gets_in_without_a_key(tmp_path, name):
    keys = {"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"}
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        cli = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin), **keys})
        file = str(EXAMPLES / "upstreams" / name)
        assert json.loads(cli("import", "kong", file, "--dry-run", "--json").stdout)["gaps"] == []
        cli("import", "kong", file)
        prices = EXAMPLES / "upstreams" / name.replace(".yaml", ".toml")
        if prices.exists():
            cli("tier", "apply", str(prices))
        (route,) = gateway.write("GET", "/routes")["data"]
        assert ask(gateway.proxy, "GET", route["paths"][0]).status == 401
        plugins = json.dumps(gateway.write("GET", "/plugins")["data"])
        assert "env" not in plugins
        assert ("sk-1" in plugins, "sk-2" in plugins) == (name == "openai.yaml", name == "anthropic.yaml")


def test_a_provider_s_key_that_is_not_there_is_said(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        cli = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})
        said = cli("import", "kong", str(EXAMPLES / "upstreams" / "openai.yaml"), "--dry-run").stderr
        assert "OPENAI_API_KEY is not set" in said


def test_a_team_in_one_file(tmp_path, monkeypatch):
    assert load(EXAMPLES / "team.toml").gateway.alert_percent == (50, 80, 100)
    monkeypatch.chdir(tmp_path)  # its alerts go to a file there
    with GatewayProcess(tmp_path / "data", "--empty", "--config", str(EXAMPLES / "team.toml")) as gateway:
        tiers = {each["name"] for each in gateway.write("GET", "/tiers")["data"]}
        assert tiers == {"developer", "lead", "ci"}
        name, _ = gateway.consumer()
        cli = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})
        cli("tier", "assign", name, "ci")
        gateway.plugin(gateway.route("http://127.0.0.1:1"), "key-auth")
        armed = [each for each in gateway.write("GET", "/armed")["data"] if each["tier"] == "ci"]
        assert len(armed) > 3
        assert [each for each in armed if each["fault"]] == []


def test_the_ci_file_plays_scenarios_that_are_shipped():
    (job,) = parsed("github-actions.yml")["jobs"].values()
    (command,) = [step["run"] for step in job["steps"] if "aimon-local run" in step.get("run", "")]
    scripts = command.split("scenarios.xml")[1].split()
    assert scripts
    assert all((folder() / f"{script}.toml").is_file() for script in scripts)


def test_the_ci_file_s_command_runs(tmp_path):
    junit = tmp_path / "scenarios.xml"
    Cli({})("run", "--virtual", "--junit", str(junit), "lab-free-vs-pro", "budget-edge")
    assert "<testsuite" in junit.read_text()
