"""Pages: every row once, in order, whatever the size; and what lists refuse."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.admin import AdminUnderTest


def filled(count):
    admin = AdminUnderTest()
    admin.ask("PUT", "/services/all", {"host": "h"})
    for number in range(count):
        tags = ["every", "even" if number % 2 == 0 else "odd"]
        admin.ask("POST", "/services/all/routes", {"name": f"r{number}", "paths": [f"/{number}"], "tags": tags})
    return admin


FILLED = filled(23)


def walk(admin, path):
    pages = []
    while path is not None:
        status, body = admin.ask("GET", path)
        assert status == 200
        assert ("offset" in body) == (body["next"] is not None)
        pages.append([row["id"] for row in body["data"]])
        path = body["next"]
    return pages


@settings(max_examples=25)
@given(st.integers(1, 30), st.sampled_from(["", "&tags=even", "&tags=every,odd", "&tags=odd/even"]))
def test_all_rows_once_in_order(size, tags):
    pages = walk(FILLED, f"/routes?size={size}{tags}")
    rows = [id_ for page in pages for id_ in page]
    assert rows == sorted(set(rows))
    assert len(rows) == {"": 23, "&tags=even": 12, "&tags=every,odd": 11, "&tags=odd/even": 23}[tags]
    assert all(len(page) == size for page in pages[:-1])


def test_the_next_page_repeats_tags_and_size():
    status, body = FILLED.ask("GET", "/routes?nope=1&size=5&tags=odd%2Feven")
    assert status == 200
    assert body["next"] == f"/routes?offset={quote(body['offset'], safe='')}&tags=odd%2Feven&size=5"


def test_below_a_parent_only_the_offset_is_repeated_and_tags_do_not_filter():
    _, body = FILLED.ask("GET", "/services/all/routes/?size=5&tags=even")
    assert body["next"] == f"/services/all/routes?offset={quote(body['offset'], safe='')}"
    assert len(body["data"]) == 5
    _, rest = FILLED.ask("GET", body["next"])
    assert len(rest["data"]) == 18


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("size=x", 9), ("size=", 9), ("size", 9), ("size=0", 9), ("size=1001", 9), ("size=1.5", 9), ("offset=!", 7),
        ("offset=", 7), ("tags=", 11), ("tags=a,b/c", 11), ("tags=a,b,c,d,e,f", 11),
        ("tags=%FF", 11),
    ],
)  # fmt: skip
def test_refusals(query, code):
    status, body = FILLED.ask("GET", f"/routes?{query}")
    assert (status, body["code"]) == (400, code)


def test_tags_of_all_and_of_one():
    rows = FILLED.ask("GET", "/tags?size=1000")[1]["data"]
    assert len(rows) == 46
    assert set(rows[0]) == {"entity_name", "entity_id", "tag"}
    odd = FILLED.ask("GET", "/tags/odd")[1]
    assert {row["tag"] for row in odd["data"]} == {"odd"}
    assert len(odd["data"]) == 11
    _, first = FILLED.ask("GET", "/tags/odd?size=3")
    assert first["next"].startswith("/tags/odd?offset=")
    assert FILLED.ask("GET", "/tags/none") == (200, {"data": [], "next": None})
    assert FILLED.ask("GET", "/tags/a%2Cb")[1]["code"] == 10
    assert FILLED.ask("GET", "/tags?size=x")[1]["code"] == 9
