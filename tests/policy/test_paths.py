"""Paths: normalised, joined and encoded as Kong does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.paths import encode, forwarded_prefix, join, normalise

raw_paths = st.text(st.sampled_from("/.a%2e0Ff \xfc?"), max_size=24).map(lambda text: "/" + text)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("/", "/"),
        ("*", "*"),
        ("/a", "/a"),
        ("//", "/"),
        ("//a//b/", "/a/b/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/.", "/a/b/"),
        ("/../../a", "/a"),
        ("/a//../b", "/b"),
        ("/..", "/"),
        ("/.hidden/..x/...", "/.hidden/..x/..."),
        ("/%61%2F%2f%20", "/a%2F%2F "),
        ("/%2e%2e/a", "/a"),
        ("/a/%2E%2E/b", "/b"),
        ("/%25%32%65", "/%252e"),
        ("/%zz%", "/%zz%"),
        ("/%C3%BC", "/\xc3\xbc"),
    ],
)
def test_normal_form(raw, normal):
    assert normalise(raw) == normal


@given(raw_paths)
def test_a_normal_path_has_no_dots_no_double_slash_and_is_rooted(raw):
    normal = normalise(raw)
    assert normal.startswith("/")
    assert "//" not in normal
    assert not {".", ".."} & set(normal.split("/"))


@given(raw_paths)
def test_what_goes_out_is_plain_ascii_and_means_the_same(raw):
    normal = normalise(raw)
    out = encode(normal)
    assert re.fullmatch(r"[!-~]*", out)
    # The upstream's own normalisation finds the path that was routed: nothing hides from the router.
    assert normalise(out) == normalise(encode(normalise(out)))
    if "%" not in normal:
        assert normalise(out) == normal


@pytest.mark.parametrize("base", [None, "/", "/s", "/s/"])
@pytest.mark.parametrize("path", ["/", "/r", "/r/", "/rx", "/r/x", "/r/x/"])
@pytest.mark.parametrize("prefix", ["", "/", "/r", "/r/"])
@pytest.mark.parametrize("strip", [True, False])
def test_every_join_is_rooted_and_has_no_double_slash(base, path, prefix, strip):
    if path.startswith(prefix):
        joined = join(base, path, prefix, strip)
        assert joined.startswith(base or "/") or joined == (base or "").rstrip("/")
        assert "//" not in joined


@pytest.mark.parametrize(
    ("base", "path", "prefix", "strip", "out"),
    [
        ("/", "/route/req", "/", True, "/route/req"),
        (None, "/route/", "/route", False, "/route/"),
        ("/", "/route/", "/route", True, "/"),
        ("/", "/routereq", "/route", True, "/req"),
        ("/service", "/", "/", True, "/service"),
        ("/service", "/route/", "/route", True, "/service/"),
        ("/service", "/routereq", "/route", True, "/service/req"),
        ("/service", "/route/req", "/route/", True, "/service/req"),
        ("/service/", "/", "/", True, "/service/"),
        ("/service/", "/route", "/route", True, "/service"),
        ("/service/", "/route", "/route", False, "/service/route"),
        ("/service", "/route", "", True, "/service/route"),
        ("/service", "/", "", False, "/service"),
        ("/service", "/route./req", "/route", True, "/service/req"),
        ("/service", "/route../req", "/route", True, "/service/req"),
        ("/service", "/route.", "/route", True, "/service"),
        ("/service", "/route..", "/route", True, "/service"),
        ("/service", "/route.x", "/route", True, "/service/.x"),
    ],
)
def test_join(base, path, prefix, strip, out):
    assert join(base, path, prefix, strip) == out


def test_the_forwarded_prefix_is_what_was_stripped_and_one_line():
    assert forwarded_prefix("/r") == "/r"
    assert forwarded_prefix("/") is None
    assert forwarded_prefix("") is None
    assert forwarded_prefix("/r\r\nx: y") == "/r%0D%0Ax: y"
