"""``up``: what it prints when it answers; ``tests/live`` has how it starts and ends."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

from aimon_local.cli import up
from tests.support.live import COMMAND, FREE_PORTS, WAIT, GatewayProcess, ask


def gateway_like(keys, empty=False):
    addresses = {"proxy": "http://127.0.0.1:1", "admin": "http://127.0.0.1:2", "upstream": "http://127.0.0.1:3"}
    settings = SimpleNamespace(data=Path("/d"), empty=empty)
    return SimpleNamespace(addresses=lambda: addresses, settings=settings, new_keys=keys)


def test_a_first_start_shows_addresses_keys_and_a_line_to_try(capsys):
    up._say_text(gateway_like({"demo-free": "KEY"}))
    out = capsys.readouterr().out
    for text in ("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", "/d", "demo-free"):
        assert text in out
    assert out.splitlines()[-1] == "try it:  curl -i http://127.0.0.1:1/demo/get -H 'apikey: KEY'"


def test_later_starts_say_how_to_get_another_key(capsys):
    up._say_text(gateway_like({}))
    assert "aimon-local key create demo-free" in capsys.readouterr().out
    up._say_text(gateway_like({}, empty=True))
    assert "key" not in capsys.readouterr().out


def test_the_line_that_is_printed_works(tmp_path):
    """What a reader of the first start would copy, run by a shell."""
    command = [*COMMAND, "up", "--headless", "--data", str(tmp_path / "data"), *FREE_PORTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            lines = []
            while not lines or not lines[-1].startswith("try it:"):
                lines.append(process.stdout.readline())
                assert lines[-1]
            line = lines[-1].removeprefix("try it:").strip()
            words = line.split()
            assert words[:2] == ["curl", "-i"]
            host, _, target = words[2].removeprefix("http://").partition("/")
            name, port = host.split(":")
            assert ask((name, int(port)), "GET", f"/{target}", apikey=words[-1].strip("'")).status == 200
        finally:
            process.terminate()
            assert process.wait(WAIT) == 0


def test_options_win_over_the_file(tmp_path):
    file = tmp_path / "aimon.toml"
    file.write_text('[gateway]\ncredentials = "plaintext"\nempty = true\n')
    with GatewayProcess(tmp_path / "data", "--config", str(file)) as gateway:
        assert gateway.keys == {}
        consumer, key = gateway.consumer()
        assert gateway.write("GET", f"/consumers/{consumer}/key-auth")["data"][0]["key"] == key
    with GatewayProcess(tmp_path / "other", "--config", str(file), "--credentials", "hashed") as gateway:
        consumer, key = gateway.consumer()
        assert gateway.write("GET", f"/consumers/{consumer}/key-auth")["data"][0]["key"] != key


AWAY = ("textual", "rich", "yaml", "cryptography", "jwt", "httpx", "requests", "prometheus_client")
SPY = """
import os, signal, sys
from aimon_local.cli import up
from aimon_local.cli.main import main

def say(gateway):
    print(*sorted(name for name in sys.modules if "." not in name), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

up._say_text = say
main()
"""


def test_a_headless_start_imports_no_more_than_it_needs(tmp_path):
    command = [COMMAND[0], "-c", SPY, "up", "--headless", "--data", str(tmp_path / "data"), *FREE_PORTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=True)
    assert "aimon_local" in done.stdout.split()
    assert set(AWAY) & set(done.stdout.split()) == set()
