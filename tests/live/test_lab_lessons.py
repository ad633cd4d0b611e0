"""Every shipped lesson, by its own commands, on a fresh gateway: each step is recognised. And a learner who goes wrong."""

import re
import shutil

import pytest

from aimon_local.cli.lab import _files
from tests.cli.conftest import Cli
from tests.support.live import GatewayProcess, ask, until

pytestmark = [pytest.mark.live, pytest.mark.skipif(shutil.which("curl") is None, reason="lessons use curl")]


def lab(gateway):
    return Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})


@pytest.mark.parametrize("file", list(_files()), ids=lambda file: file.stem)
def test_a_lesson_runs_from_its_first_step_to_its_last(file, tmp_path):
    with GatewayProcess(tmp_path / "data") as gateway:
        said = lab(gateway)("lab", "start", file.stem, "--auto").stdout
        state = gateway.write("GET", "/lab")
        assert state["done"]
        assert len(re.findall("^✓", said, re.MULTILINE)) == len(state["steps"])


def test_what_goes_wrong_is_said_with_its_reason(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        cli = lab(gateway)
        shown = cli("lab", "start", "article", "--no-wait").stdout
        assert "http://{}:{}/services".format(*gateway.admin) in shown
        gateway.write("POST", "/services", {"name": "other", "url": "http://h.test"})
        until(lambda: gateway.write("GET", "/lab")["why"] is not None)
        assert "its name is other; this step wants ai-service" in cli("lab", "status").stdout
        gateway.write("POST", "/services", {"name": "ai-service", "url": "http://{}:{}".format(*gateway.builtin)})
        gateway.write("POST", "/services/ai-service/routes", {"name": "ai-route", "paths": ["/ai"]})
        gateway.plugin("ai-service", "key-auth")
        until(lambda: gateway.write("GET", "/lab")["step"] == 2)
        refused = ask(gateway.proxy, "GET", "/ai/get")
        until(lambda: gateway.write("GET", "/lab")["why"] is not None)
        state = gateway.write("GET", "/lab")
        assert "no_key: key-auth: the request carries no API key" in state["why"]
        assert state["request_id"] == refused.headers["X-Kong-Request-Id"]
        assert "aimon-local explain" in cli("lab", "status").stdout


def test_without_a_lesson_and_with_a_bad_one(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        cli = lab(gateway)
        assert "no lesson is under way" in cli.fails("lab", "status")
        assert "there is no lesson 'nothing'" in cli.fails("lab", "start", "nothing")
        bad = tmp_path / "bad.toml"
        bad.write_text('title = "t"\nabout = "a"\n[[steps]]\ntitle = "x"\n')
        assert "step 1: why must be a text" in cli.fails("lab", "start", str(bad))
        reply = ask(gateway.admin, "POST", "/lab", '{"name": "x", "lesson": {}}', Content_Type="application/json")
        assert reply.status == 400
        cli("lab", "stop")


def test_the_lessons_are_listed(alone_cli):
    assert {"article", "tiers", "tokens"} <= {row["name"] for row in alone_cli.json("lab", "list")}


@pytest.fixture
def alone_cli():
    return Cli({"AIMON_LOCAL_ADMIN": "http://127.0.0.1:1"})
