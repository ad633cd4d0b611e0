"""Tiers, price plans and prices as text: what is read, what is written back, what is said of mistakes."""

import json
from pathlib import Path

import pytest

from aimon_local.config import offers
from aimon_local.config.load import load, parse
from aimon_local.config.save import dumps, save
from aimon_local.config.schema import Config
from aimon_local.errors import ConfigError
from aimon_local.policy.pricing import PriceBook
from aimon_local.policy.tier_entities import read_plan, read_price, read_tier

DAY = '[tiers.free]\nlimits = [{ unit = "requests", amount = 100, period = "day" }]\n'


def texts(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_what_is_seeded_is_valid_and_reads_as_nouns():
    rows = offers.seeded()
    tiers = {row["name"]: read_tier(row) for kind, row in rows if kind == "tiers"}
    plans = {row["name"]: read_plan(row) for kind, row in rows if kind == "price_plans"}
    book = PriceBook(read_price(row) for kind, row in rows if kind == "model_prices")
    assert list(tiers) == ["free", "pro", "enterprise", "agent", "internal"]
    assert {tier.plan for tier in tiers.values()} == set(plans)
    assert [(tiers[name].limits[0].name, tiers[name].limits[0].amount) for name in ("free", "pro")] == [
        ("requests/day", 100),
        ("requests/day", 5000),
    ]
    assert len(book.lines) >= 12
    assert book.find("gpt-4o-mini", 1_760_000_000).rates.input == 150_000_000
    assert book.find("claude-sonnet-4-5-20250929", 1_760_000_000).rates.cache_write == 3_750_000_000
    assert book.find("gpt-5", 1_700_000_000) is None
    assert book.find("nobody-knows", 1_760_000_000) is None


def test_what_is_written_back_reads_the_same():
    rows = offers.seeded()
    assert texts(offers.parse(offers.dumps(rows), "x")) == texts(rows)


def test_the_same_as_json():
    document = {"tiers": {"free": {"limits": [{"unit": "requests", "amount": 100, "period": "day"}]}}}
    assert offers.read(document, "x.json") == offers.parse(DAY, "x")


def test_a_whole_file_keeps_its_offers(tmp_path):
    text = (
        '[gateway]\nproxy_port = 9000\n\n[[model_prices]]\nmodel = "m"\ninput = 1\noutput = 2\nsince = 2025-01-31\n'
        + DAY
    )
    config = parse(text)
    assert config.gateway.proxy_port == 9000
    assert dict(config.offers)["model_prices"]["since"] == 1_738_281_600
    path = Path(tmp_path) / "aimon.toml"
    save(config, path)
    assert load(path) == config
    assert parse(dumps(Config(offers=config.offers))).offers == config.offers


def test_references_are_names():
    rows = offers.parse('[tiers.deal]\nconsumer = "ann"\nroute = "ai"\nconcurrency = 1\n', "x")
    assert rows == [
        ("tiers", {"name": "deal", "consumer": {"username": "ann"}, "route": {"name": "ai"}, "concurrency": 1})
    ]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("[tiers.free]\nlimitz = []\n", "aimon.toml:2: unknown key 'limitz' in tiers.free", "did you mean 'limits'?"),
        (
            DAY.replace("amount", "amunt"),
            "aimon.toml:2: unknown key 'amunt' in tiers.free.limits",
            "did you mean 'amount'?",
        ),
        (
            DAY.replace('"day"', '"fortnight"'),
            "aimon.toml:1: tiers.free: limits[1].period: expected one of: second",
            None,
        ),
        (DAY.replace("100", "1.5"), "limits: amount must be a whole number", None),
        ('[tiers.a]\nzone = "Mars/Base"\n', "zone: no time zone has the name 'Mars/Base'", None),
        ("[tierz.free]\n", "unknown section 'tierz'", "did you mean 'tiers'?"),
        ("tiers = 3\n", "tiers must be written as [tiers.NAME]", None),
        ("[tiers]\nfree = 3\n", "tiers.free must be a table", None),
        ("[model_prices.m]\n", "model_prices must be written as [[model_prices]]", None),
        (
            '[[model_prices]]\nmodel = "m"\ninput = -1\noutput = 1\n',
            "model_prices[1]: input: it must be a number of dollars",
            None,
        ),
        ('[[model_prices]]\nmodel = "m"\ninput = 1\n', "output: required field missing", None),
        ("[price_plans.p]\nmonthly_fee = 0.0000000001\n", "more than nine decimals", None),
        ("[tiers.free\n", "not valid TOML", None),
    ],
)
def test_mistakes_are_named_with_file_place_and_the_nearest_word(text, said, hint):
    with pytest.raises(ConfigError) as caught:
        offers.parse(text, "aimon.toml")
    assert said in str(caught.value)
    assert hint is None or caught.value.hint == hint
