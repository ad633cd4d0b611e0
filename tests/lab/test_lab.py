"""The lab, word for word: the commands are read out of README.md and run by curl on the lab's own ports."""

import json
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from aimon_local.gateway import seed
from tests.support.live import WAIT, GatewayProcess, room_in

README = Path(__file__).resolve().parents[2] / "README.md"
PORTS = {"--proxy-port": 8000, "--admin-port": 8001, "--upstream-port": 5000}
PLACEHOLDER = "THE-KEY"

pytestmark = pytest.mark.live


def commands():
    """The lab's commands in order, continued lines joined."""
    section = README.read_text(encoding="utf-8").split("\n## The lab, word for word\n")[1].split("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].replace("\\\n", " ")
    return [line for line in block.splitlines() if line.strip() and not line.startswith("#")]


@dataclass
class Answer:
    """What curl printed."""

    status: int
    fields: dict[str, str]
    body: str

    @property
    def json(self):
        return json.loads(self.body)


def curl(command):
    """Run one command of the README by a shell, as its reader would."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=WAIT, check=True)
    if " -i " not in command:
        return Answer(0, {}, done.stdout)
    head, _, body = done.stdout.partition("\n\n")
    first, *lines = head.splitlines()
    return Answer(int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body)


@pytest.fixture
def lab(tmp_path):
    """A gateway on the lab's ports, first started: with its demo, which must not be in the way."""
    if shutil.which("curl") is None:
        pytest.skip("the lab is run by curl, which is not installed")
    for port in PORTS.values():
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"the lab needs port {port}, another program listens there")
    options = [word for option, port in PORTS.items() for word in (option, str(port))]
    with GatewayProcess(tmp_path / "data", *options) as gateway:
        yield gateway


def calls(command, count):
    """(status, rate limit told) of the same call, made ``count`` times within one minute."""
    room_in(60, 5)
    return [(answer.status, answer.fields.get("X-RateLimit-Limit-Minute")) for answer in map(curl, [command] * count)]


def test_the_lab_runs_word_for_word(lab):
    steps = iter(commands())

    def step(*words):
        """The next command, which must be the one with these words."""
        command = next(steps)
        assert all(word in command for word in words), (command, words)
        return command

    service = curl(step("POST", "/services ", "ai-service", "host.docker.internal:5000"))
    assert (service.status, service.json["host"], service.json["port"]) == (201, "host.docker.internal", 5000)
    assert curl(step("POST", "/services/ai-service/routes", "paths[]=/ai")).json["paths"] == ["/ai"]
    is_open = curl(step("/ai/get"))
    assert (is_open.status, is_open.json["url"].split("/")[-1]) == (200, "get")

    assert curl(step("POST", "/services/ai-service/plugins", "key-auth")).status == 201
    closed = curl(step("/ai/get"))
    assert (closed.status, closed.json["message"]) == (401, "No API key found in request")
    assert curl(step("POST", "/consumers ", "username=deepanshu")).status == 201
    make_key = step("POST", "/consumers/deepanshu/key-auth")
    created = curl(make_key)
    assert created.status == 201
    with_key = step("/ai/get", f"apikey: {PLACEHOLDER}")
    call = with_key.replace(PLACEHOLDER, created.json["key"])
    assert curl(call).status == 200

    assert curl(step("rate-limiting", "config.minute=5", "config.policy=local")).status == 201
    assert calls(call, 7) == [(200, "5")] * 5 + [(429, "5")] * 2
    refused = curl(call)
    assert refused.json["message"] == "API rate limit exceeded"
    assert 0 < int(refused.fields["Retry-After"]) <= 60

    keys = {}
    for user, limit in (("free-user", "5"), ("pro-user", "100")):
        assert curl(step("POST", "/consumers ", f"username={user}")).status == 201
        assert curl(step(f"/consumers/{user}/plugins", "rate-limiting", f"config.minute={limit}")).status == 201
        keys[user] = curl(make_key.replace("deepanshu", user)).json["key"]
    free, pro = (with_key.replace(PLACEHOLDER, keys[user]) for user in ("free-user", "pro-user"))
    assert calls(free, 6) == [(200, "5")] * 5 + [(429, "5")]
    assert calls(pro, 8) == [(200, "100")] * 8

    totals = curl(step("/usage?consumer=pro-user")).json["totals"]
    assert (totals["requests"], totals["denied"]) == (8, 0)
    free_totals = lab.totals("free-user")
    assert (free_totals["requests"], free_totals["denied_by_reason"]) == (5, {"rate_limited": 1})
    assert next(steps, None) is None  # no command of the lab is left out


def test_the_demo_of_a_first_start_does_not_use_the_labs_names():
    text = "\n".join(commands())
    names = set(re.findall(r"(?:name|username)=([\w-]+)", text)) - {"key-auth", "rate-limiting"}
    assert names == {"ai-service", "ai-route", "deepanshu", "free-user", "pro-user"}
    planted = {str(value) for _, entity in seed.entities(5000) for value in entity.values()}
    assert not names & planted
    assert "['/ai']" not in planted
