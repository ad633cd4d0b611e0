from aimon_local.model.schema import Shorthand, array, boolean, foreign, integer, map_of, number, record, set_of, string


def test_attributes_keep_kongs_names_and_order():
    field = string("name", unique=True, len_min=1)
    assert (field.name, field.type, list(field.attrs)) == ("name", "string", ["unique", "len_min"])


def test_each_constructor_makes_its_type():
    leaf = string()
    made = [
        number("f"),
        integer("f"),
        boolean("f"),
        array("f", leaf),
        set_of("f", leaf),
        map_of("f", leaf, leaf),
        record("f", leaf),
        foreign("f", "services"),
    ]
    types = ["number", "integer", "boolean", "array", "set", "map", "record", "foreign"]
    assert [field.type for field in made] == types
    assert made[3].elements is made[4].elements is leaf
    assert made[5].keys is made[5].values is leaf
    assert made[6].fields == (leaf,)
    assert made[7].attrs == {"reference": "services"}


def test_checks_and_old_names_are_no_attributes():
    def check(value):
        return None

    old = Shorthand("old", lambda value: {"new": value})
    field = record("f", check=check, shorthands=(old,), required=True)
    assert (field.check, field.shorthands, field.attrs) == (check, (old,), {"required": True})
    assert old.shown == ()
