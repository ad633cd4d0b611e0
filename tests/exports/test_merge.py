"""A configuration laid over another: whatever was there is there afterwards, and doing it twice changes nothing."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.exports.merge import Done, laid_over
from aimon_local.model import declarative
from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.fill import Ids
from aimon_local.policy.plugins import SCHEMAS as PLUGIN_SCHEMAS

NOW = 1_800_000_000
NEW = {
    "services": [
        {
            **{"name": "openai", "url": "https://api.example/v1", "retries": 2},
            "routes": [{"name": "openai", "paths": ["/openai/v1"]}],
            "plugins": [{"name": "key-auth", "config": {"key_names": ["apikey"], "hide_credentials": True}}],
        }
    ],
    "consumer_groups": [{"name": "litellm-1"}],
    "tiers": [{"name": "litellm-1", "limits": [{"unit": "requests", "amount": 5, "period": "minute"}]}],
    "consumers": [{"username": "ann", "groups": [{"name": "litellm-1"}]}],
    "model_prices": [{"model": "gpt-x", "provider": "openai", "input": 1.0, "output": 2.0}],
}
OTHERS = {
    "services": [{"name": "mine", "url": "http://127.0.0.1:1", "routes": [{"name": "mine", "paths": ["/mine"]}]}],
    "consumer_groups": [{"name": "pro"}],
    "tiers": [{"name": "pro", "limits": []}],
    "consumers": [{"username": "bob", "groups": [{"name": "pro"}], "keyauth_credentials": [{"key": "k"}]}],
    "model_prices": [{"model": "gpt-x", "input": 9.0, "output": 9.0}],
}


class SomeIds(Ids):
    def __init__(self):
        self.last = 0

    def uuid(self):
        self.last += 1
        return f"00000000-0000-4000-8000-{self.last:012x}"

    def token32(self):
        return self.uuid().replace("-", "")


def stored(document):
    """As the Admin API has it after ``POST /config``."""
    loaded = declarative.load(document, Catalog(SCHEMAS, PLUGIN_SCHEMAS, {}), NOW * 10**9, SomeIds())
    assert isinstance(loaded, declarative.Loaded), loaded
    return declarative.dump(loaded.catalog, NOW * 10**9)


def over(there, new=NEW, now=NOW):
    document, done = laid_over(there, new, "litellm", now)
    return stored(document), {(each.kind, each.name): each.what for each in done}


def names(document, kind, field="name"):
    return sorted(each[field] for each in document.get(kind, ()))


def test_on_an_empty_gateway_all_is_new():
    document, done = over({})
    assert set(done.values()) == {"new"}
    assert document["services"][0]["host"] == "api.example"
    assert (document["services"][0]["port"], document["services"][0]["path"]) == (443, "/v1")
    (place,) = document["consumer_group_consumers"]
    assert place["consumer"] == document["consumers"][0]["id"]


def test_what_was_there_stays_word_for_word():
    before = stored({"_format_version": "3.0", **OTHERS})
    kept = copy.deepcopy(before)
    after, _ = over(before)
    assert before == kept  # its argument is not touched
    for kind, rows in before.items():
        if isinstance(rows, list):
            assert all(row in after[kind] for row in rows), kind


def test_twice_is_once():
    first, _ = over({})
    second, done = over(first)
    assert second == first
    assert set(done.values()) == {"same"}


def test_what_an_import_made_is_brought_up_to_date():
    first, _ = over({})
    new = copy.deepcopy(NEW)
    new["services"][0]["url"] = "https://other.example/v1"
    new["tiers"][0]["limits"][0]["amount"] = 6
    second, done = over(first, new)
    assert {each for each, what in done.items() if what == "changed"} == {
        ("services", "openai"),
        ("tiers", "litellm-1"),
    }
    (service,) = second["services"]
    assert (service["host"], service["id"]) == ("other.example", first["services"][0]["id"])
    assert second["tiers"][0]["limits"][0]["amount"] == 6
    assert names(second, "routes") == ["openai"]


def test_what_somebody_else_made_under_that_name_stays_with_all_that_hangs_on_it():
    theirs = {"name": "openai", "url": "http://theirs:1", "routes": [{"name": "r", "paths": ["/r"]}]}
    before = stored({"_format_version": "3.0", "services": [theirs], "consumers": [{"username": "ann"}]})
    after, done = over(before)
    assert done[("services", "openai")] == done[("consumers", "ann")] == "kept"
    assert names(after, "routes") == ["r"]
    assert after.get("plugins", []) == after.get("consumer_group_consumers", []) == []
    assert after["services"] == before["services"]


def test_a_route_of_that_name_on_another_service_is_not_taken_from_it():
    theirs = {"name": "mine", "url": "http://theirs:1", "routes": [{"name": "openai", "paths": ["/r"]}]}
    after, done = over(stored({"_format_version": "3.0", "services": [theirs]}))
    assert done[("routes", "openai")] == "kept"
    assert names(after, "services") == ["mine", "openai"]


def test_a_consumer_that_was_moved_stays_where_it_is_and_one_of_another_limit_moves():
    first, _ = over({**stored({"_format_version": "3.0", **OTHERS})})
    pro, ann = ({each["name"]: each["id"] for each in first["consumer_groups"]}["pro"], first["consumers"])
    ann = next(each["id"] for each in ann if each["username"] == "ann")
    moved = copy.deepcopy(first)
    for place in moved["consumer_group_consumers"]:
        if place["consumer"] == ann:
            place["consumer_group"] = pro
    assert over(moved)[0]["consumer_group_consumers"] == moved["consumer_group_consumers"]
    new = copy.deepcopy(NEW)
    new["consumer_groups"].append({"name": "litellm-2"})
    new["tiers"].append({"name": "litellm-2", "limits": []})
    new["consumers"][0]["groups"] = [{"name": "litellm-2"}]
    after, _ = over(first, new)
    group = {each["id"]: each["name"] for each in after["consumer_groups"]}
    assert [group[each["consumer_group"]] for each in after["consumer_group_consumers"] if each["consumer"] == ann] == [
        "litellm-2"
    ]


def test_a_price_holds_from_now_on_and_the_old_line_stays():
    after, done = over(stored({"_format_version": "3.0", **OTHERS}))
    assert done[("model_prices", "gpt-x")] == "changed"
    lines = sorted((each["since"], each["input"]) for each in after["model_prices"])
    assert lines == [(0, 9.0), (NOW, 1.0)]
    again, done = over(after, now=NOW + 5)
    assert (again["model_prices"], done[("model_prices", "gpt-x")]) == (after["model_prices"], "same")


PARTS = st.lists(st.sampled_from(sorted(OTHERS)), unique=True)


@given(PARTS, PARTS)
def test_nothing_is_ever_taken_away(there, new):
    if "consumers" in there:
        there = [*there, "consumer_groups"]
    before = stored({"_format_version": "3.0", **{kind: OTHERS[kind] for kind in there}})
    after, done = laid_over(before, {kind: NEW[kind] for kind in new}, "litellm", NOW)
    for kind, rows in before.items():
        if isinstance(rows, list):
            assert all(row in after[kind] for row in rows)
    assert all(isinstance(each, Done) for each in done)
