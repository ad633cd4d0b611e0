import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model.paging import TagFilter, decode_offset, encode_offset, parse_size, parse_tags
from aimon_local.model.violation import Violation


@pytest.mark.parametrize(("text", "size"), [(None, 100), ("1", 1), ("1000", 1000), ("2.0", 2)])
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "size must be a number"),
        ("", "size must be a number"),
        ("0", "size must be an integer between 1 and 1000"),
        ("-1", "size must be an integer between 1 and 1000"),
        ("1001", "size must be an integer between 1 and 1000"),
        ("1.5", "size must be an integer between 1 and 1000"),
    ],
)
def test_bad_sizes(text, why):
    assert parse_size(text).body["message"] == why


@pytest.mark.parametrize(
    ("text", "tags", "every"),
    [("a", ("a",), True), ("a,b", ("a", "b"), True), ("a/b", ("a", "b"), False), ("ü b", ("ü b",), True)],
)
def test_tags(text, tags, every):
    assert parse_tags(text) == TagFilter(tags, every)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be null"),
        ("a,b/c", "invalid filter syntax"),
        (",a", "invalid filter syntax"),
        ("a\n", "invalid filter syntax"),
        ("a,b,c,d,e,f", "cannot query more than 5 tags"),
    ],
)
def test_bad_tags(text, why):
    found = parse_tags(text)
    assert found.body["options"] == {"tags": why}
    assert found.code == 11


def test_filters():
    assert TagFilter(("a", "b"), every=True).fits(["a", "b", "c"])
    assert not TagFilter(("a", "b"), every=True).fits(["a"])
    assert TagFilter(("a", "b"), every=False).fits(["b"])
    assert not TagFilter(("a",), every=False).fits(None)


@given(st.lists(st.text(alphabet="abc-_/+", min_size=1), min_size=1, max_size=3))
def test_offsets_come_back(key):
    offset = encode_offset(key)
    assert decode_offset(offset, len(key)) == tuple(key)
    assert not set(offset) & set("+/=")


@pytest.mark.parametrize(
    ("offset", "why"),
    [
        ("x", "'x' is not a valid offset: bad base64 encoding"),
        ("!!", "'!!' is not a valid offset: bad base64 encoding"),
        ("", "'' is not a valid offset: bad json encoding"),
        ("YQ", "'YQ' is not a valid offset: bad json encoding"),
        ("WzFd", "'WzFd' is not a valid offset: bad json encoding"),
    ],
)
def test_bad_offsets(offset, why):
    found = decode_offset(offset)
    assert isinstance(found, Violation)
    assert found.body["message"] == why
