import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.model import checks


@pytest.mark.parametrize(
    ("check", "value", "fault"),
    [
        (checks.check_name, "a.b-c_d~1ü", None),
        (
            checks.check_name,
            "x y",
            "invalid value 'x y': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
        ),
        (checks.check_tag, "a b:c", None),
        (checks.check_tag, "ü", None),
        (
            checks.check_tag,
            "a/b",
            "invalid tag 'a/b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
        ),
        (checks.check_header_name, "X-A_1", None),
        (
            checks.check_header_name,
            "a b",
            "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
        ),
        (checks.check_path, "/a%20b/(c)", None),
        (
            checks.check_path,
            "/a b",
            "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)",
        ),
        (checks.check_path, "/a%2", "invalid url-encoded value: '%2'"),
        (checks.check_path, "/a%zzb", "invalid url-encoded value: '%zz'"),
        (checks.check_route_path, "/a/b", None),
        (checks.check_route_path, "/a/", None),
        (checks.check_route_path, "/a/../b", "non-normalized path, consider use '/b' instead"),
        (checks.check_route_path, "/a/%62", "non-normalized path, consider use '/a/b' instead"),
        (checks.check_route_path, "/a%2fb", "non-normalized path, consider use '/a%2Fb' instead"),
        (checks.check_route_path, "/a%2Fb", None),
        (checks.check_route_path, "/a b", "non-normalized path, consider use '/a%20b' instead"),
        (checks.check_route_path, "/a%2", "invalid url-encoded value: '%2'"),
        (checks.check_route_path, r"~/(?<id>\d+)$", None),
    ],
)
def test_checks(check, value, fault):
    assert check(value) == fault


def test_a_broken_regex_is_told():
    assert checks.check_route_path("~/(a").startswith("invalid regex: '/(a' (PCRE returned: ")


@given(st.characters())
def test_names_and_tags_hold_exactly_the_characters_they_say(char):
    plain = char.isascii() and (char.isalnum() or char in "._~-")
    assert (checks.check_name(char) is None) == (plain or not char.isascii())
    printable = char.isascii() and " " <= char <= "~" and char not in ",/"
    assert (checks.check_tag(char) is None) == (printable or not char.isascii())


@given(st.text(alphabet="/ab.%2FfeE5", max_size=20).map(lambda text: f"/{text}"))
def test_a_normalised_path_stays_as_it_is(path):
    normal = checks.normalise_path(path)
    assert checks.normalise_path(normal) == normal
    assert "/../" not in normal
    assert "//" not in normal
