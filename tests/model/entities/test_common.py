from aimon_local.model.entities import SCHEMAS, common
from aimon_local.model.validators import check_value


def fault(field, value):
    return check_value(field, value, lambda inner, item: None)


def test_tags_are_sets_of_tags():
    for field in (common.TAGS, common.BARE_TAGS):
        assert fault(field, ["a", "b c"]) is None
        assert fault(field, ["a", "b,c"])[2].startswith("invalid tag 'b,c'")
        assert fault(field, [""]) == {1: "length must be at least 1"}


def test_names_and_paths():
    assert fault(common.name(), "a b").startswith("invalid value 'a b'")
    assert fault(common.path("path"), "x") == "should start with: /"
    assert fault(common.path("path"), "//") == "must not have empty segments"
    assert fault(common.header_name(), "a b").startswith("bad header name 'a b'")


def test_an_owner_takes_its_credentials_along():
    assert common.owner().attrs["on_delete"] == "cascade"


def test_every_kind_but_tags_has_an_id_and_a_time():
    for kind, schema in SCHEMAS.items():
        names = [field.name for field in schema.fields]
        assert kind == "tags" or {"id", "created_at"} <= set(names)


def test_references_point_to_kinds_that_are_there():
    targets = {f.attrs["reference"] for schema in SCHEMAS.values() for f in schema.fields if f.type == "foreign"}
    assert targets <= set(SCHEMAS)
    order = list(SCHEMAS)
    for kind, schema in SCHEMAS.items():
        for field in schema.fields:
            assert field.type != "foreign" or order.index(field.attrs["reference"]) < order.index(kind)
