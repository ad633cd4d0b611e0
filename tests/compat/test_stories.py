"""Every exchange recorded from a real Kong, played against a running gateway: equal, but for ``DELIBERATE``."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.compat.deliberate import DELIBERATE
from tests.compat.replay import hostport, play, start_echo, wipe

STORIES = Path(__file__).parent / "stories"
NAMES = sorted(path.stem for path in STORIES.glob("*.json"))
COMMAND = (
    "up --headless --empty --credentials plaintext --proxy-port 0 --admin-port 0 --upstream-port 0 --log-format json"
)
OPTIONS = SimpleNamespace(honour_waits=False, wait_scale=1.0, no_align=False)  # a write holds for the next request
# What one story (rt-2: request-termination's echo) holds of the recorded node itself: its port, its process.
NODE = {'"port": 18000': '"port": "${proxy_port:int}"', '"worker_pid": 32250': '"worker_pid": "<int>"'}
EQUAL_SHARE = 0.97

pytestmark = [pytest.mark.live, pytest.mark.timeout(150)]  # some stories wait for windows and caches to run out


@pytest.fixture(scope="module")
def echo_port():
    """Two echo upstreams on neighbouring ports, as the stories want them; the first port."""
    for _ in range(50):
        first = start_echo(0, "A")
        try:
            second = start_echo(first.server_port + 1, "B")
        except (OSError, OverflowError):
            _close(first)
            continue
        yield first.server_port
        _close(first)
        _close(second)
        return
    pytest.fail("no two free ports side by side")


def _close(server):
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A gateway of its own in a process of its own: (admin, proxy) as (host, port)."""
    command = [sys.executable, "-m", "aimon_local", *COMMAND.split(), "--data", str(tmp_path_factory.mktemp("data"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            ready = json.loads(process.stdout.readline())
            assert ready["event"] == "ready"
            yield hostport(ready["admin"]), hostport(ready["proxy"])
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize("name", NAMES)
def test_story(name, gateway, echo_port):
    admin, proxy = gateway
    wipe(admin)
    story = load(name)
    unexpected, too_equal = [], []
    for number, step, differences in play(story, admin, proxy, echo_port, OPTIONS):
        if (story["story"], number) in DELIBERATE:
            too_equal += [] if differences else [number]
        elif differences:
            what = f"{number} {step['to']} {step['method']} {step['path']} {step.get('body') or ''}"
            unexpected.append(f"{what}: {' | '.join(differences)}")
    assert not unexpected, "\n".join(unexpected)
    assert not too_equal, f"these are equal, so they are no differences: {too_equal}"


def test_few_exchanges_differ_on_purpose():
    counted = {
        (story["story"], number)
        for story in map(load, NAMES)
        for number, step in enumerate(story["steps"], 1)
        if not step.get("cleanup")
    }
    assert set(DELIBERATE) <= counted
    assert len(DELIBERATE) <= (1 - EQUAL_SHARE) * len(counted)


def load(name):
    text = (STORIES / f"{name}.json").read_text(encoding="utf-8")
    for recorded, meant in NODE.items():
        text = text.replace(recorded, meant)
    return json.loads(text)
