import pytest

from aimon_local.model.rules import Scene, run, value_at
from aimon_local.model.schema import EntityRule, array, integer, record, string

FIELDS = (
    string("a"),
    string("b"),
    string("mode", one_of=["x", "y"]),
    array("list", string()),
    record("config", integer("n"), string("host", check=lambda value: "bad host" if value == "bad" else None)),
)


def judge(kind, body, entity, *, faults=None, full=True, check=None):
    scene = Scene(entity, {field.name: field for field in FIELDS}, dict(faults or {}), lambda field, value: None, full)
    run([EntityRule(kind, body, check)], scene)
    return scene.faults


NONE = {"a": None, "b": None}


@pytest.mark.parametrize(
    ("kind", "entity", "text"),
    [
        ("at_least_one_of", NONE, "at least one of these fields must be non-empty: 'a', 'b'"),
        ("at_least_one_of", {"a": None, "b": "x"}, None),
        ("only_one_of", NONE, "exactly one of these fields must be non-empty: 'a', 'b'"),
        ("only_one_of", {"a": "x", "b": "x"}, "exactly one of these fields must be non-empty: 'a', 'b'"),
        ("only_one_of", {"a": "x", "b": ""}, None),
        ("distinct", {"a": "x", "b": "x"}, "values of these fields must be distinct: 'a', 'b'"),
        ("distinct", NONE, None),
        ("mutually_required", {"a": "x", "b": None}, "all or none of these fields must be set: 'a', 'b'"),
        ("mutually_required", {"a": "x", "b": "y"}, None),
        ("mutually_exclusive", {"a": "x", "b": "y"}, "only one or none of these fields must be set: 'a', 'b'"),
        ("mutually_exclusive", {"a": "x", "b": None}, None),
    ],
)
def test_counting_rules(kind, entity, text):
    assert judge(kind, ["a", "b"], entity) == ({"@entity": [text]} if text else {})


def test_at_least_one_runs_beside_other_faults_and_says_when_updating():
    faults = judge("at_least_one_of", ["a", "b"], NONE, faults={"a": "bad"}, full=False)
    assert faults["@entity"] == ["when updating, at least one of these fields must be non-empty: 'a', 'b'"]


def test_a_partial_entity_without_the_fields_is_not_judged():
    assert judge("at_least_one_of", ["a", "b"], {}, full=False) == {}
    assert judge("at_least_one_of", ["a", "b"], {}) != {}


def test_mutual_rules_wait_until_their_fields_are_good():
    assert judge("mutually_required", ["a", "b"], {"a": 5, "b": None}, faults={"a": "bad"}) == {"a": "bad"}


def conditional(then, **more):
    return {"if_field": "mode", "if_match": {"eq": "x"}, "then_field": "config.host", "then_match": then, **more}


def test_a_condition_marks_the_field_and_the_entity():
    faults = judge("conditional", conditional({"required": True}), {"mode": "x", "config": {"host": None}})
    assert faults == {
        "config": {"host": "required field missing"},
        "@entity": ["failed conditional validation given value of field 'mode'"],
    }


def test_a_condition_keeps_the_fields_own_attributes():
    entity = {"mode": "x", "config": {"host": "bad"}}
    faults = judge("conditional", conditional({"required": True}, then_err="told"), entity)
    assert faults == {"config": {"host": "bad host"}, "@entity": ["told"]}


def test_a_condition_that_does_not_hold_says_nothing():
    assert judge("conditional", conditional({"required": True}), {"mode": "y", "config": {"host": None}}) == {}


def test_null_must_stay_null():
    body = {"if_field": "mode", "if_match": {"not_one_of": ["y"]}, "then_field": "a", "then_match": {"eq": None}}
    assert judge("conditional", body, {"mode": "x", "a": "set"})["a"] == "value must be null"
    assert judge("conditional", body, {"mode": "y", "a": "set"}) == {}


def test_a_condition_over_elements():
    body = {
        "if_field": "list",
        "if_match": {"elements": {"type": "string", "not_one_of": ["tls"]}},
        "then_field": "a",
        "then_match": {"eq": None},
    }
    assert judge("conditional", body, {"list": ["http"], "a": "x"})["a"] == "value must be null"
    assert judge("conditional", body, {"list": ["http", "tls"], "a": "x"}) == {}


CHOICE = {
    "if_field": "list",
    "if_match": {"contains": "s"},
    "then_at_least_one_of": ["a", "b"],
    "then_err": "set %s for s",
    "else_match": {"contains": "p"},
    "else_then_at_least_one_of": ["a"],
    "else_then_err": "set %s for p",
}


@pytest.mark.parametrize(
    ("items", "text"), [(["s", "p"], "set 'a', 'b' for s"), (["p"], "set 'a' for p"), (["q"], None)]
)
def test_either_condition_may_ask_for_one_of_several(items, text):
    faults = judge("conditional_at_least_one_of", CHOICE, {"list": items, **NONE})
    assert faults == ({"@entity": [text]} if text else {})


def test_custom_rules_give_a_text_or_fields():
    body = {"field_sources": ["config"]}
    entity = {"config": {"n": 1}}
    assert judge("custom_entity_check", body, entity, check=lambda e: f"n is {e['config']['n']}") == {
        "@entity": ["n is 1"]
    }
    assert judge("custom_entity_check", body, entity, check=lambda e: {"config.n": "no"}) == {"config": {"n": "no"}}
    assert judge("custom_entity_check", body, entity, check=lambda e: None) == {}


def test_custom_rules_wait_until_their_sources_are_good():
    def never(entity):
        raise AssertionError("called on a faulty entity")

    body = {"field_sources": ["config"]}
    assert judge("custom_entity_check", body, {"config": 5}, faults={"config": "bad"}, check=never) == {"config": "bad"}


def test_a_rule_never_writes_into_a_field_that_is_bad_as_a_whole():
    faults = judge("only_one_of", ["config.n", "config.host"], {"config": "x"}, faults={"config": "expected a record"})
    assert faults == {"config": "expected a record"}


def test_dotted_names():
    assert value_at({"a": {"b": 1}}, "a.b") == 1
    assert value_at({"a": 5}, "a.b") is value_at({}, "x")
