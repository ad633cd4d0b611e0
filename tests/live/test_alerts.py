"""Alerts of a running gateway: told once, to every receiver, over restarts; resolved when the window is over."""

import json

import pytest

from aimon_local.gateway.settings import Settings
from tests.cli.conftest import Cli
from tests.live.test_push import Sink
from tests.support.live import GatewayProcess, Upstream, ask, until

pytestmark = pytest.mark.live

AMOUNT = 10


class Hook(Sink):
    """Takes one alert per POST."""

    def take(self, body, heads):
        self.heads.append(dict(heads))
        self.ids.append(json.loads(body))


def sold(gateway, url=None, **tier):
    """A tier of ten requests a month, one of its consumers, and a route: (name, key, path)."""
    path = gateway.route(url or "http://{}:{}".format(*gateway.builtin))
    gateway.plugin(path, "key-auth")
    limits = [{"unit": "requests", "amount": AMOUNT, "period": "month"}]
    gateway.write("POST", "/tiers", {"name": "ten", "limits": limits, **tier})
    name, key = gateway.consumer()
    gateway.write("POST", "/consumer_groups/ten/consumers", {"consumer": name})
    return name, key, path


def calls(gateway, key, path, times):
    return [ask(gateway.proxy, "GET", f"/{path}/get", apikey=key).status for _ in range(times)]


def told(gateway, **query):
    return [(each["state"], each["percent"]) for each in gateway.write("GET", "/alerts")["data"]][::-1]


def test_all_receivers_are_told_once_before_the_first_denial_and_when_it_is_over(tmp_path):
    file = tmp_path / "alerts.jsonl"
    options = ("--empty", "--alert-file", str(file), "--alert-webhook")
    with Hook(500, None) as hook, GatewayProcess(tmp_path / "data", *options, hook.url) as gateway:
        name, key, path = sold(gateway)
        assert calls(gateway, key, path, 7) == [200] * 7
        assert calls(gateway, key, path, 1) == [200]
        until(lambda: told(gateway) == [("firing", 80)])  # nothing was refused yet
        assert calls(gateway, key, path, 6) == [200] * 2 + [429] * 4
        until(lambda: told(gateway) == [("firing", 80), ("firing", 100)])
        gateway.write("POST", "/clock", {"advance": "32d"})
        expected = [("firing", 80), ("firing", 100), ("resolved", 80), ("resolved", 100)]
        until(lambda: told(gateway) == expected)
        until(lambda: len(hook.ids) >= 4)
        assert [(each["state"], each["percent"]) for each in hook.ids] == expected
        assert [json.loads(line) for line in file.read_text().splitlines()] == hook.ids
        first = hook.ids[0]
        assert (first["consumer"], first["tier"], first["limit"]) == (name, "ten", "requests/month")
        assert (first["used"], first["amount"], first["used_percent"]) == (8, 10, 80)
        events = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})
        table = events("alerts", "--consumer", name).stdout
        assert "window_over" in table
        assert "requests/month" in table


def test_a_restart_repeats_nothing_and_delivers_what_had_not_arrived(tmp_path):
    with Hook(*[503] * 1000) as hook, Upstream() as upstream:
        options = ("--empty", "--alert-webhook", hook.url)
        with GatewayProcess(tmp_path / "data", *options) as gateway:
            _, key, path = sold(gateway, upstream.url)
            calls(gateway, key, path, 8)
            until(lambda: told(gateway) == [("firing", 80)])
            gateway.kill()
        hook.statuses.clear()
        with GatewayProcess(tmp_path / "data", *options) as gateway:
            until(lambda: len(hook.ids) == 1)
            assert calls(gateway, key, path, 2) == [200, 200]
            until(lambda: told(gateway) == [("firing", 80), ("firing", 100)])
            until(lambda: len(hook.ids) == 2)
        assert [each["percent"] for each in hook.ids] == [80, 100]


def test_head_room_resolves_it(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        _, key, path = sold(gateway, limits=[{"unit": "requests", "amount": AMOUNT, "period": "month", "ask": True}])
        calls(gateway, key, path, 11)
        until(lambda: told(gateway) == [("firing", 80), ("firing", 100)])
        question = gateway.write("GET", "/approvals")["data"][0]["id"]
        gateway.write("POST", f"/approvals/{question}/approve", {"requests": 90})
        until(lambda: told(gateway) == [("firing", 80), ("firing", 100), ("resolved", 80), ("resolved", 100)])
        assert gateway.write("GET", "/alerts?state=firing")["data"] == []


def test_the_events_tell_it_and_what_is_wrong_is_said(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        _, key, path = sold(gateway)
        calls(gateway, key, path, 9)
        cli = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})
        until(lambda: told(gateway))
        shown = cli("events", "--kinds", "alert", "--after", "0", "--count", "2").stdout
        assert "firing  80 %" in shown
        assert ask(gateway.admin, "GET", "/alerts?state=loud").status == 400
        assert ask(gateway.admin, "GET", "/alerts?size=0").status == 400


def test_without_thresholds_nothing_watches(tmp_path):
    config = tmp_path / "aimon.toml"
    config.write_text("[gateway]\nalert_percent = []\n")
    with GatewayProcess(tmp_path / "data", "--empty", "--config", str(config)) as gateway:
        _, key, path = sold(gateway)
        calls(gateway, key, path, 11)
        assert gateway.write("GET", "/alerts")["data"] == []


@pytest.mark.parametrize(("option", "value"), [("--alert-webhook", "nowhere"), ("--alert-file", "/no/such/dir/file")])
def test_a_receiver_that_can_be_none_is_one_clear_line(tmp_path, option, value):
    ports = ("--proxy-port", "0", "--admin-port", "0", "--upstream-port", "0")
    said = Cli({}).fails("up", "--headless", "--data", str(tmp_path), *ports, option, value)
    assert option[2:].replace("-", "_") in said
    assert Settings(tmp_path).alert_percent == (80, 100)


def test_an_agents_calls_fire_its_owners_alert(tmp_path):
    with GatewayProcess(tmp_path / "data", "--empty") as gateway:
        name, key, path = sold(gateway)
        cli = Cli({"AIMON_LOCAL_ADMIN": "http://{}:{}".format(*gateway.admin)})
        gateway.write("POST", "/tiers", {"name": "agents"})
        scopes = f"routes={path};methods=GET"
        keys = [
            cli.json("agent", "create", each, "--owner", name, "--tier", "agents", "--scopes", scopes)["key"]
            for each in ("one", "two")
        ]
        calls(gateway, key, path, 4)
        calls(gateway, keys[0], path, 2)
        calls(gateway, keys[1], path, 2)
        until(lambda: told(gateway) == [("firing", 80)])
        (alert,) = gateway.write("GET", f"/alerts?consumer={name}")["data"]
        assert (alert["used"], alert["limit"]) == (8, "requests/month")
