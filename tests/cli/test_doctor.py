"""``doctor``: findings about the machine, the data directory, the gateway and its plugins."""

import json

from aimon_local.cli import doctor
from aimon_local.cli.doctor import FAULT, NOTE, OK
from aimon_local.storage.database import NAME


def said(result):
    return {line.split(maxsplit=1)[1]: line.split()[0] for line in result.stdout.splitlines()}


def test_nothing_runs_and_nothing_is_there_yet(alone):
    findings = said(alone("doctor"))
    assert any("not there yet" in text for text in findings)
    assert any("no gateway answers" in text for text in findings)
    assert FAULT not in findings.values()


def test_a_damaged_database_is_a_fault(alone, tmp_path):
    (tmp_path / "data").mkdir(0o700)
    (tmp_path / "data" / NAME).write_bytes(b"not a database, by far" * 99)
    findings = said(alone("doctor", code=1))
    assert FAULT in findings.values()


def test_a_running_gateway(cli, gateway):
    result = cli("doctor", "--data", str(gateway.data), "--json")
    findings = json.loads(result.stdout)
    assert {finding["state"] for finding in findings} <= {OK, NOTE}
    texts = " ".join(finding["what"] for finding in findings)
    for words in ("a gateway runs", "can be written", "key-auth", "armed on", "whole"):
        assert words in texts


def test_a_gateway_that_wants_a_token_is_not_one_that_is_well(cli, monkeypatch):
    def refuse(self, path, **query):
        raise doctor.AdminError("who are you?", status=401)

    monkeypatch.setattr(doctor.AdminClient, "get", refuse)
    assert any("answered 401" in text and state == FAULT for text, state in said(cli("doctor", code=1)).items())


def plugin(name="key-auth", **more):
    scope = {"route": None, "service": None, "enabled": True, "instance_name": None, "id": "p", "config": {}}
    return {"name": name, **scope, **more}


def route(name, service=None):
    return {"id": name, "service": service and {"id": service}}


def states(*plugins):
    services = [{"id": "on", "enabled": True}, {"id": "off", "enabled": False}, {"id": "bare", "enabled": True}]
    routes = [route("r1", "on"), route("r2", "on"), route("r3", "off"), route("r4")]
    return [(finding.state, finding.what.split(": ", 1)[1]) for finding in doctor.plugins(routes, plugins, services)]


def test_a_plugin_is_armed_where_a_live_route_leads_through_it():
    armed = [
        plugin(), plugin(service={"id": "on"}), plugin(route={"id": "r1"}), plugin(route={"id": "r4"}),
        plugin(enabled=False),
    ]  # fmt: skip
    assert states(*armed) == [
        (OK, "armed on 3 routes"), (OK, "armed on 2 routes"), (OK, "armed on 1 route"), (OK, "armed on 1 route"),
        (NOTE, "disabled"),
    ]  # fmt: skip
    for scope in ({"service": {"id": "off"}}, {"service": {"id": "bare"}}, {"route": {"id": "r3"}}):
        assert states(plugin(**scope))[0][0] == FAULT
    assert states(plugin(route={"id": "r1"}, service={"id": "bare"}))[0][0] == FAULT


def test_a_policy_that_is_counted_here():
    found = states(
        plugin("rate-limiting", config={"policy": "redis"}), plugin("rate-limiting", config={"policy": "local"})
    )
    assert [state for state, _ in found] == [OK, NOTE, OK]
