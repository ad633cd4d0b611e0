"""``run`` as users run it: exit codes, reports, refusals; a gateway of others is left as it was."""

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from aimon_local.cli.main import main
from aimon_local.scenario.shipped import scripts
from tests.support.live import GatewayProcess

pytestmark = pytest.mark.live

CASE = """
about = "a case"
[tiers.free]
limits = [{ unit = "requests", amount = 3, period = "day" }]
[[model_prices]]
model = "case-model"
input = 1
output = 2
[actors.free]
tier = "free"
iterations = 5
[[actors.free.steps]]
model = "case-model"
prompt = "hello"
[thresholds]
"requests{status:200}" = "count==3"
"requests{reason:quota_exhausted}" = "count==2"
"""
LONG = CASE.replace("iterations = 5", 'executor = "constant-arrival-rate"\nrate = 20\nduration = "10m"')


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("run") / "data") as running:
        yield running


def run(*arguments):
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


def written(folder, text):
    path = folder / "case.toml"
    path.write_text(text)
    return path


def of(gateway):
    return ("--url", "http://{}:{}".format(*gateway.proxy), "--admin-url", "http://{}:{}".format(*gateway.admin))


def entities(gateway):
    kinds = (
        "consumers",
        "tiers",
        "services",
        "routes",
        "plugins",
        "price_plans",
        "model_prices",
        "consumer_groups",
        "key-auths",
    )
    return {kind: sorted(row["id"] for row in gateway.write("GET", f"/{kind}?size=1000")["data"]) for kind in kinds}


def test_a_running_gateway_is_left_as_it_was(gateway, tmp_path):
    before = entities(gateway)
    result = run(written(tmp_path, CASE), *of(gateway))
    assert result.exit_code == 0, result.output
    assert "2 of 2 hold" in result.stdout
    assert entities(gateway) == before


def test_what_does_not_hold_is_exit_1(gateway, tmp_path):
    report = tmp_path / "report.xml"
    path = written(tmp_path, CASE.replace("count==3", "count==4"))
    result = run(path, "--json", "--junit", report, *of(gateway))
    assert result.exit_code == 1
    (document,) = json.loads(result.stdout)
    assert [each["holds"] for each in document["checks"]] == [False, True]
    assert document["totals"]["by_status"] == {"200": 3, "429": 2}
    suite = ET.parse(report).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("name")) == ("2", "1", "case")
    assert suite[0][0].get("message") == "found 3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CASE.replace("iterations", "iteratoins"), "unknown key 'iteratoins'"),
        (CASE.replace('tier = "free"', 'tier = "fre"'), "is of the tier 'fre'"),
        (CASE + '[[plugins]]\nname = "no-such-plugin"\n', "no-such-plugin"),
        (CASE + '[service]\nurl = "http://192.0.2.1/"\n', "is not on this machine"),
        (CASE.replace("case-model", "mock-small"), "another price for the model 'mock-small'"),
    ],
)
def test_a_wrong_script_or_set_up_is_exit_2_and_leaves_nothing(gateway, tmp_path, text, said):
    before = entities(gateway)
    result = run(written(tmp_path, text), *of(gateway))
    assert result.exit_code == 2
    assert said in result.stderr
    assert entities(gateway) == before


def test_nothing_goes_beyond_this_machine(tmp_path):
    result = run(written(tmp_path, CASE), "--url", "http://192.0.2.1:8000", "--admin-url", "http://127.0.0.1:1")
    assert result.exit_code == 2


def test_a_gateway_that_was_named_must_answer(tmp_path):
    result = run(written(tmp_path, CASE), "--admin-url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "no gateway answers" in result.stderr


def test_ctrl_c_gives_a_partial_report_and_cleans_up(gateway, tmp_path):
    before = entities(gateway)
    command = [sys.executable, "-m", "aimon_local", "run", str(written(tmp_path, LONG)), *of(gateway)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end, seen = time.monotonic() + 20, len(gateway.rows())
    while len(gateway.rows()) == seen:
        assert time.monotonic() < end
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, said = child.communicate(timeout=20)
    assert child.returncode == 1, said
    assert "interrupted:" in out
    assert "stopping" in said
    assert entities(gateway) == before


def test_the_list():
    result = run()
    assert result.exit_code == 0
    assert "lab-free-vs-pro" in result.stdout


_SHORT = [path for path in scripts() if "virtual = true" not in path.read_text() and "agent" not in path.stem]


@pytest.mark.parametrize("path", _SHORT, ids=lambda path: path.stem)
def test_a_shipped_script_holds_on_a_gateway_of_its_own(path):
    result = run(path, "--own")
    assert result.exit_code == 0, result.output


def test_a_name_that_is_none_is_told_the_nearest_one(alone):
    said = alone.fails("run", "retry-strom", code=2)
    assert "there is no script 'retry-strom'" in said
    assert "did you mean retry-storm?" in said
