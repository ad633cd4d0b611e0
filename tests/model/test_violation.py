import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model import violation


def test_one_problem_is_told_alone():
    found = violation.schema_violation({"host": "required field missing"})
    assert (found.status, found.code) == (400, 2)
    assert found.body["message"] == "schema violation (host: required field missing)"
    assert found.body["fields"] == {"host": "required field missing"}


def test_several_problems_are_counted_entity_first_then_by_name():
    faults = {"b": "m2", "a": "m1", "@entity": ["first", "second"], "config": {"y": "m4", "x": "m3"}}
    message = violation.schema_violation(faults).body["message"]
    assert message == "6 schema violations (first; second; a: m1; b: m2; config.x: m3; config.y: m4)"


def test_elements_are_numbered_and_good_ones_are_null():
    found = violation.schema_violation({"paths": {2: "bad", 3: "worse"}})
    assert found.body["message"] == "2 schema violations (paths.2: bad; paths.3: worse)"
    assert found.body["fields"] == {"paths": [None, "bad", "worse"]}


def test_deeper_faults_show_as_lua_tables():
    found = violation.schema_violation({"config": {"add": {"headers": {1: "invalid value: x"}}}})
    assert found.body["message"] == ('schema violation (config.add: {\n  headers = {\n    "invalid value: x"\n  }\n})')
    assert found.body["fields"] == {"config": {"add": {"headers": ["invalid value: x"]}}}


@pytest.mark.parametrize(
    ("found", "status", "code", "name", "message"),
    [
        (
            violation.invalid_primary_key({"id": "expected a valid UUID"}),
            400,
            1,
            "invalid primary key",
            "invalid primary key: '{id=\"expected a valid UUID\"}'",
        ),
        (
            violation.primary_key_violation("x"),
            400,
            3,
            "primary key violation",
            "primary key violation on key '{id=\"x\"}'",
        ),
        (
            violation.foreign_key_violation("service", "services", {"id": "x"}),
            400,
            4,
            "foreign key violation",
            "the foreign key '{id=\"x\"}' does not reference an existing 'services' entity.",
        ),
        (
            violation.still_referenced("services", "routes"),
            400,
            4,
            "foreign key violation",
            "an existing 'routes' entity references this 'services' entity",
        ),
        (
            violation.unique_violation({"name": "x", "route": None}),
            409,
            5,
            "unique constraint violation",
            "UNIQUE violation detected on '{name=\"x\",route=null}'",
        ),
        (
            violation.not_found({"id": "x"}),
            404,
            6,
            "not found",
            "could not find the entity with primary key '{id=\"x\"}'",
        ),
        (
            violation.not_found({"name": "x"}),
            404,
            6,
            "not found",
            "could not find the entity with '{name=\"x\"}'",
        ),
        (
            violation.invalid_offset("x", "bad base64 encoding"),
            400,
            7,
            "invalid offset",
            "'x' is not a valid offset: bad base64 encoding",
        ),
        (violation.invalid_size("size must be a number"), 400, 9, "invalid size", "size must be a number"),
        (violation.invalid_unique("name", "no"), 400, 10, "invalid unique name", "no"),
        (
            violation.invalid_options({"tags": "cannot be null"}),
            400,
            11,
            "invalid options",
            "invalid option (tags: cannot be null)",
        ),
        (violation.unsupported("cannot"), 405, 12, "operation unsupported", "cannot"),
        (
            violation.foreign_keys_unresolved({"service": ("name", "x", "services")}),
            400,
            13,
            "foreign keys unresolved",
            "foreign key unresolved (service.name: the foreign key cannot be resolved with '{name=\"x\"}' "
            "for an existing 'services' entity)",
        ),
        (
            violation.invalid_declarative({"services": {2: {"host": "required field missing"}}}),
            400,
            14,
            "invalid declarative configuration",
            'declarative config is invalid: {services={[2]={host="required field missing"}}}',
        ),
    ],
)
def test_codes(found, status, code, name, message):
    assert (found.status, found.code, found.body["name"], found.body["message"]) == (status, code, name, message)


def test_options_stand_in_place_of_fields():
    body = violation.invalid_options({"tags": "no"}).body
    assert body["options"] == {"tags": "no"}
    assert "fields" not in body


def test_plain_messages_have_no_code():
    found = violation.plain(404, "Not found")
    assert (found.code, found.body) == (None, {"message": "Not found"})


names = st.text(alphabet="abcdef_", min_size=1, max_size=6)


@given(st.dictionaries(names, st.one_of(st.just("bad"), st.dictionaries(names, st.just("bad"), min_size=1))))
def test_fields_come_sorted_and_are_counted(faults):
    message = violation.schema_violation(faults).body["message"]
    count = sum(len(fault) if isinstance(fault, dict) else 1 for fault in faults.values())
    assert message.startswith("schema violation (" if count == 1 else f"{count} schema violations (")
    listed = [part.split(":")[0] for part in message[message.index("(") + 1 : -1].split("; ") if part]
    tops = [name.split(".")[0] for name in listed]
    assert tops == sorted(tops)
    assert len(listed) == count
