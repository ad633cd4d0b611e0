"""``tier``: offers as files, who is in which tier, what is armed."""

import json
import tomllib

OFFER = """
[tiers.{0}]
limits = [{{ unit = "requests", amount = 7, period = "day" }}]
plan = "{0}"

[price_plans.{0}]
monthly_fee = 5

[[model_prices]]
model = "{0}-model"
input = {1}
output = 2
since = 2025-01-31
"""


def offer(tmp_path, name, price=1):
    file = tmp_path / "offer.toml"
    file.write_text(OFFER.format(name, price))
    return str(file)


def test_a_file_is_applied_once_and_again_with_another_price(cli, tmp_path):
    for price in (1, 1, 3):
        cli("tier", "apply", offer(tmp_path, "cli-gold", price))
    assert cli.json("tier", "show", "cli-gold")["limits"][0]["amount"] == 7
    exported = tomllib.loads(cli("tier", "export").stdout)
    assert [row["input"] for row in exported["model_prices"] if row["model"] == "cli-gold-model"] == [3]
    assert exported["price_plans"]["cli-gold"]["monthly_fee"] == 5


def test_what_is_exported_can_be_applied_and_changes_nothing(cli, tmp_path):
    cli("tier", "apply", offer(tmp_path, "cli-silver"))
    for suffix, words in ((".toml", ()), (".json", ("--json",))):
        before = cli("tier", "export", *words).stdout
        file = tmp_path / f"all{suffix}"
        file.write_text(before)
        cli("tier", "apply", str(file))
        assert cli("tier", "export", *words).stdout == before


def test_a_consumer_has_one_tier(cli, tmp_path):
    for name in ("cli-a", "cli-b"):
        cli("tier", "apply", offer(tmp_path, name))
    cli("consumer", "create", "tier-ann")
    for name in ("cli-a", "cli-b", "cli-b", "cli-a"):
        cli("tier", "assign", "tier-ann", name)
        rows = {(row["tier"], row["rule"]): row["consumers"] for row in cli.json("tier", "armed")}
        assert [rows[each, "requests/day"] for each in ("cli-a", "cli-b")] == [name == "cli-a", name == "cli-b"]
    assert "there is no tier" in cli.fails("tier", "assign", "tier-ann", "nothing")
    assert "there is no consumer" in cli.fails("tier", "assign", "nobody", "cli-a")


def test_mistakes_name_the_place(cli, tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text("[tiers.x]\nlimitz = []\n")
    assert "wrong.toml:2: unknown key 'limitz'" in cli.fails("tier", "apply", str(file))
    assert "can't be read" in cli.fails("tier", "apply", str(tmp_path / "nowhere.toml"))
    (tmp_path / "wrong.json").write_text("{")
    assert "not valid JSON" in cli.fails("tier", "apply", str(tmp_path / "wrong.json"))


def test_the_seeded_tiers_are_there_and_armed(cli):
    rows = json.loads(cli("tier", "list", "--json").stdout)
    assert {"free", "pro", "enterprise", "agent", "internal"} <= {row["name"] for row in rows}
    assert "requests/day" in cli("tier", "armed").stdout


def test_apply_refuses_a_rule_that_can_never_act_unless_it_is_allowed(cli, tmp_path):
    file = tmp_path / "dead.toml"
    file.write_text('[tiers.cli-dead]\nconcurrency = 1\nroutes = ["nowhere-*"]\n')
    assert "tier cli-dead: concurrency can't act: no route" in cli.fails("tier", "apply", str(file))
    assert "cli-dead" not in cli("tier", "export").stdout
    cli("tier", "apply", "--allow-unarmed", str(file))
    assert "cli-dead" in cli("tier", "export").stdout
    cli("tier", "delete", "cli-dead")
