import pytest

from aimon_local.model.schema import array, boolean, foreign, integer, map_of, number, record, set_of, string
from aimon_local.model.validators import check_value, is_uuid


def nested(field, value):
    return {"inner": field.type}


def fault(field, value):
    return check_value(field, value, nested)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (string("f"), 5, "expected a string"),
        (number("f"), "5", "expected a number"),
        (number("f"), True, "expected a number"),
        (number("f"), float("inf"), "expected a number"),
        (number("f"), float("nan"), "expected a number"),
        (integer("f"), 1.5, "expected an integer"),
        (integer("f"), 2.0, None),
        (boolean("f"), 1, "expected a boolean"),
        (array("f", string()), {"a": 1}, "expected an array"),
        (set_of("f", string()), "x", "expected a set"),
        (map_of("f", string(), string()), "x", "expected a map"),
        (record("f"), 5, "expected a record"),
    ],
)
def test_types(field, value, text):
    assert fault(field, value) == text


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (integer(between=[0, 10]), 11, "value should be between 0 and 10"),
        (integer(between=[0, 10]), 10, None),
        (string(eq="a"), "b", "value must be a"),
        (string(eq="a"), None, "value must be a"),
        (string(eq=None), "b", "value must be null"),
        (string(eq=None, err="may not be"), "b", "may not be"),
        (string(eq=None), None, None),
        (boolean(ne=True, err="no"), True, "no"),
        (integer(ne=1), True, "expected an integer"),
        (string(ne=None), None, "value must not be null"),
        (number(gt=0), 0, "value must be greater than 0"),
        (integer(one_of=[426, 301]), 302, "expected one of: 426, 301"),
        (string(not_one_of=["a"]), "a", "must not be one of: a"),
        (integer(timestamp=True), 0, "expected a valid timestamp"),
        (string(uuid=True), "x", "expected a valid UUID"),
        (string(is_regex=True), "(", "not a valid regex: ("),
        (string(), "", "length must be at least 1"),
        (string(len_min=0), "", None),
        (string(len_min=3), "ü", "length must be at least 3"),
        (string(len_max=1), "ü", "length must be at most 1"),
        (array("f", string(), len_eq=1), [], "length must be 1"),
        (string(starts_with="/"), "x", "should start with: /"),
        (string(match="^%u+$"), "get", "invalid value: get"),
        (string(not_match="x"), "x", "invalid value: x"),
        (string(match_none=[{"pattern": "//", "err": "no"}]), "a//", "no"),
        (string(match_all=[{"pattern": "a", "err": "needs a"}]), "b", "needs a"),
        (string(match_any={"patterns": ["^a"], "err": "starts with a"}), "b", "starts with a"),
        (string(match_any={"patterns": ["^a"]}), "b", "invalid value: b"),
        (array("f", string(), contains="x"), ["y"], "expected to contain: x"),
        (string(required=True), None, "required field missing"),
        (string(check=lambda value: f"no {value}"), "x", "no x"),
    ],
)
def test_attributes(field, value, text):
    assert fault(field, value) == text


def test_the_first_validator_in_kongs_order_speaks():
    field = string(starts_with="/", one_of=["/a"], len_min=5, check=lambda value: "check")
    assert fault(field, "b") == "expected one of: /a"


def test_elements_are_required_and_told_by_position():
    assert fault(array("f", string()), ["a", None, 5]) == {2: "required field missing", 3: "expected a string"}


def test_maps_tell_their_first_fault():
    field = map_of("f", string(match="^x"), array("", string()))
    assert fault(field, {"a": []}) == "invalid value: a"
    assert fault(field, {"x": "y"}) == "expected an array"
    assert fault(field, {"x": ["y"]}) is None


def test_sets_that_exclude_each_other():
    field = set_of("f", string(), mutually_exclusive_subsets=[["http", "https"], ["tcp", "tls"]])
    assert fault(field, ["http", "https"]) is None
    assert fault(field, ["tcp", "http"]) == "these sets are mutually exclusive: ('tcp', 'tls'), ('http', 'https')"


def test_records_and_references_are_judged_by_the_caller():
    assert fault(record("f"), {}) == {"inner": "record"}
    assert fault(foreign("f", "services"), "x") == {"inner": "foreign"}
    assert fault(foreign("f", "services"), None) is None


def test_uuids():
    assert is_uuid("00000000-0000-4000-8000-0000000000FF")
    assert not is_uuid("00000000-0000-4000-8000-0000000000ff\n")
