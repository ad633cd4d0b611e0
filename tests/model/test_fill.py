import pytest

from aimon_local.model.fill import Moment, ShorthandFault, as_table, at_path, fill, without_repeats
from aimon_local.model.schema import Shorthand, array, foreign, integer, map_of, number, record, set_of, string
from tests.support.admin_stories import CountingIds

NOW = 1_700_000_000_123_456_789
FIELDS = (
    string("id", uuid=True, auto=True),
    string("key", auto=True),
    integer("created_at", timestamp=True, auto=True),
    number("updated_at", timestamp=True, auto=True),
    string("mode", default="a"),
    array("list", string(), default=["x"]),
    set_of("set", string()),
    record("config", integer("n", default=1), record("deep", string("s", default="d"), required=True), required=True),
    record("maybe", integer("n", default=1)),
    foreign("service", "services", required=True),
)


def filled(data, mode="insert", shorthands=()):
    return fill(FIELDS, shorthands, data, mode, Moment(NOW, CountingIds()))


def test_insert_fills_defaults_and_automatic_fields():
    assert filled({}) == {
        "id": "00001eef-0000-4000-8000-000000000001",
        "key": "00000000000000000000000000000002",
        "created_at": 1_700_000_000,
        "updated_at": 1_700_000_000.123,
        "mode": "a",
        "list": ["x"],
        "set": None,
        "config": {"n": 1, "deep": {"s": "d"}},
        "maybe": None,
    }


def test_update_fills_only_the_moment():
    assert filled({"mode": None}, "update") == {"mode": None, "updated_at": 1_700_000_000.123}


def test_a_given_creation_time_stays_and_null_stays_null():
    out = filled({"created_at": 5, "updated_at": 6, "mode": None, "config": None})
    assert (out["created_at"], out["updated_at"]) == (5, 1_700_000_000.123)
    assert (out["mode"], out["config"]) == (None, None)


def test_begun_records_get_the_rest():
    assert filled({"config": {"n": 2}})["config"] == {"n": 2, "deep": {"s": "d"}}
    assert filled({"maybe": {}})["maybe"] == {"n": 1}


def test_values_of_the_wrong_type_pass_through():
    wrong = {"config": "x", "list": 5, "set": {"a": 1}}
    out = filled(wrong)
    assert {name: out[name] for name in wrong} == wrong


def test_sets_lose_repeats_and_an_empty_table_is_a_list():
    out = filled({"set": ["b", "a", "b"], "list": {}})
    assert (out["set"], out["list"]) == (["b", "a"], [])
    assert without_repeats([1, True, 1.0, None, None]) == [1, True, 1.0, None]


def test_whole_floats_become_integers():
    assert filled({"config": {"n": 5.0}})["config"]["n"] == 5


def test_defaults_are_copies():
    filled({})["list"].append("y")
    assert filled({})["list"] == ["x"]


def test_a_list_where_a_structure_is_due_has_positions_for_names():
    assert as_table(["a"]) == {1: "a"}
    assert filled({"config": ["a"]})["config"] == {1: "a", "n": 1, "deep": {"s": "d"}}


PAIR = Shorthand("pair", lambda value: {"mode": value, "config": {"n": 9}})
OLD = Shorthand("old", lambda value: {"config": {"n": value}}, integer("old"), deprecated=True, shown=("config", "n"))


def test_a_shorthand_wins_over_what_stands_beside_it():
    out = filled({"pair": "p", "mode": "m", "config": {"n": 2}}, shorthands=(PAIR,))
    assert (out["mode"], out["config"]["n"]) == ("p", 9)
    assert "pair" not in out


def test_a_deprecated_name_loses_and_must_not_contradict():
    assert filled({"old": 4}, shorthands=(OLD,))["config"]["n"] == 4
    assert filled({"old": 4, "config": {"n": 4}}, shorthands=(OLD,))["config"]["n"] == 4
    with pytest.raises(ShorthandFault) as caught:
        filled({"old": 4, "config": {"n": 5}}, shorthands=(OLD,))
    assert caught.value.faults == {
        "old": "both deprecated and new field are used but their values mismatch: old = 4 vs config.n = 5"
    }


def test_an_unusable_shorthand_ends_the_filling():
    with pytest.raises(ShorthandFault) as caught:
        filled({"pair": 5}, shorthands=(PAIR,))
    assert caught.value.faults == {"pair": "expected a string"}
    refusing = Shorthand("pair", lambda value: "can't be read")
    with pytest.raises(ShorthandFault) as caught:
        filled({"pair": "x"}, shorthands=(refusing,))
    assert caught.value.faults == {"pair": "can't be read"}


def test_map_values_are_filled():
    fields = (map_of("m", string(), record("", integer("n", default=3))),)
    assert fill(fields, (), {"m": {"a": {}}}, "insert", None) == {"m": {"a": {"n": 3}}}


def test_paths():
    assert at_path({"a": {"b": 1}}, ("a", "b")) == 1
    assert at_path({"a": None}, ("a", "b")) is None
