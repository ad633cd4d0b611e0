from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.schema import Schema, foreign, string
from aimon_local.model.table import Table

SCHEMA = Schema(
    "things",
    (string("id"), string("name", unique=True), foreign("owner", "owners"), string("part")),
    composite_unique=("owner", "part"),
)

rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from("abcdef"),
        "name": st.none() | st.sampled_from("xyz"),
        "owner": st.none() | st.sampled_from("pq").map(lambda id_: {"id": id_}),
        "part": st.none() | st.sampled_from("mn"),
    }
)
steps = st.lists(st.tuples(st.just("put"), rows) | st.tuples(st.just("delete"), st.sampled_from("abcdef")), max_size=30)


def clashes(row, model):
    """Whether the row may not stand beside the others: what a catalog refuses, a table need not keep."""
    others = [other for id_, other in model.items() if id_ != row["id"]]
    name = row["name"] is not None and any(other["name"] == row["name"] for other in others)
    return name or any((other["owner"], other["part"]) == (row["owner"], row["part"]) for other in others)


@given(steps)
def test_indexes_agree_with_a_plain_dictionary(commands):
    table, model = Table(SCHEMA), {}
    for op, what in commands:
        if op == "delete":
            table.delete(what)
            model.pop(what, None)
        elif not clashes(what, model):
            table.put(what)
            model[what["id"]] = what
    ordered = [model[id_] for id_ in sorted(model)]
    assert list(table) == ordered
    assert len(table) == len(model)
    for name in "xyz":
        assert table.by("name", name) == next((row for row in ordered if row["name"] == name), None)
    for owner in "pq":
        owned = [row for row in ordered if row["owner"] == {"id": owner}]
        assert [table.get(id_) for id_ in table.referring("owner", owner)] == owned
        assert list(table.after("c", ("owner", owner))) == [row for row in owned if row["id"] > "c"]
    for row in ordered:
        assert table.by_composite(table.composite_key(row)) == row


def test_kinds_without_composite_key_have_none():
    table = Table(Schema("plain", (string("id"),)))
    assert table.composite_key({"id": "a"}) is None
    assert not table.is_unique("id")
