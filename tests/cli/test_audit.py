"""``audit``: every write of the Admin API is told, with who, before and after; never a secret."""

import json

from tests.support.live import ask, until


def told(cli, *words):
    return cli.json("audit", *words)["data"]


def test_writes_of_an_entity_are_told(gateway, cli):
    made = gateway.write("POST", "/consumers", {"username": "audited"})
    gateway.write("PATCH", "/consumers/audited", {"custom_id": "x-1"})
    ask(gateway.admin, "DELETE", "/consumers/audited")
    lines = told(cli, "--entity", made["id"])
    assert [line["action"] for line in lines] == ["delete", "change", "create"]
    assert {line["actor"] for line in lines} == {"admin"}
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert (lines[1]["before"], lines[1]["after"]) == ({"custom_id": None}, {"custom_id": "x-1"})


def test_keys_are_told_without_themselves(gateway, cli):
    gateway.write("POST", "/consumers", {"username": "keyed"})
    key = gateway.write("POST", "/consumers/keyed/key-auth", {"ttl": 3600})
    gateway.write("PATCH", f"/consumers/keyed/key-auth/{key['id']}", {"ttl": 60})
    ask(gateway.admin, "DELETE", f"/consumers/keyed/key-auth/{key['id']}")
    lines = told(cli, "--entity", key["id"], "--kind", "key")
    assert [line["action"] for line in lines] == ["revoke", "expires", "create"]
    assert {line["name"] for line in lines} == {"keyed"}
    assert key["key"] not in json.dumps(lines)


def test_pages_and_filters(gateway, cli):
    for name in ("paged-1", "paged-2", "paged-3"):
        gateway.write("POST", "/consumer_groups", {"name": name})
    first = cli.json("audit", "--entity", "consumer_groups", "--size", "2")
    assert [line["name"] for line in first["data"]] == ["paged-3", "paged-2"]
    assert told(cli, "--entity", "consumer_groups", "--before", str(first["before"]))[0]["name"] == "paged-1"
    assert "more: --before" in cli("audit", "--size", "1").stderr
    assert told(cli, "--since", "2100-01-01T00:00:00Z") == []
    assert "kind must be one of" in ask(gateway.admin, "GET", "/audit?kind=x").json["message"]


def test_people_see_what_changed(gateway, cli):
    gateway.write("POST", "/consumers", {"username": "seen"})
    gateway.write("PATCH", "/consumers/seen", {"custom_id": "seen-1"})
    assert "custom_id: null -> seen-1" in cli("audit", "--size", "1").stdout


def test_a_key_that_ends_is_told_once(gateway, cli):
    gateway.write("POST", "/consumers", {"username": "ending"})
    key = gateway.write("POST", "/consumers/ending/key-auth", {"ttl": 1})
    until(lambda: len(told(cli, "--entity", key["id"])) == 2)
    line = told(cli, "--entity", key["id"])[0]
    assert (line["action"], line["actor"], line["name"]) == ("expire", "gateway", "ending")
    gateway.write("POST", "/consumers/ending/key-auth", {"ttl": 3600})  # all keys are looked through again
    assert len(told(cli, "--entity", key["id"])) == 2


def test_a_reprice_is_told_with_its_sums(gateway, cli):
    gateway.write("POST", "/reprice", {"since": "1h"})
    end, begin = told(cli, "--kind", "reprice", "--size", "2")
    assert (begin["action"], end["action"]) == ("begin", "end")
    assert end["after"]["since"] == begin["after"]["since"]
    assert end["after"]["corrected"] == 0
    gateway.write("POST", "/reprice", {"since": "1h", "dry_run": True})
    assert told(cli, "--kind", "reprice", "--size", "1")[0]["number"] == end["number"]


def test_what_is_kept_nowhere_is_told_too(gateway, cli):
    ask(gateway.admin, "DELETE", "/proxy-cache")
    gateway.write("PUT", "/debug/node/log-level/notice")
    level, cache = told(cli, "--size", "2")
    assert (level["action"], level["name"]) == ("put", "/debug/node/log-level/notice")
    assert (cache["action"], cache["name"]) == ("delete", "/proxy-cache")


def test_reads_and_dry_runs_are_not(gateway, cli):
    last = told(cli, "--size", "1")[0]["number"]
    cli.json("consumer", "list")
    ask(gateway.admin, "POST", "/check", json.dumps({"path": "/demo/get"}), Content_Type="application/json")
    ask(gateway.admin, "POST", "/consumers", "{]", Content_Type="application/json")
    assert told(cli, "--size", "1")[0]["number"] == last


def test_a_minted_token_is_told_by_its_id(gateway, cli):
    gateway.write("POST", "/consumers", {"username": "owner-1"})
    gateway.write("POST", "/consumers/owner-1/key-auth", {})
    gateway.write("POST", "/agents", {"name": "minted", "owner": {"username": "owner-1"}})
    token = gateway.write("POST", "/agents/minted/tokens", {"ttl": 60})
    line = told(cli, "--size", "1")[0]
    assert (line["kind"], line["action"], line["name"], line["entity_id"]) == ("key", "mint", "minted", token["jti"])
    assert token["token"] not in json.dumps(line)
    ask(gateway.admin, "DELETE", f"/agents/minted/tokens/{token['jti']}")
    assert token["jti"] in told(cli, "--size", "1")[0]["after"]["revoked_tokens"]
