"""Who may reach the Admin API."""

import pytest

from aimon_local.gateway.admin.context import Access
from aimon_local.gateway.admin.guard import has_token, refusal

OPEN = Access(frozenset(["lab.internal", "10.0.0.5"]))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8001", "localhost", "LOCALHOST:1", "localhost.", "[::1]", "[::1]:8001", "127.0.0.9",
        "[0:0:0:0:0:0:0:1]", "host.docker.internal:8001", "lab.internal", "Lab.Internal:80", "10.0.0.5:8001", "",
    ],
)  # fmt: skip
def test_our_own_names(host):
    assert refusal(OPEN, host, [], None) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.6", "0.0.0.0", "[::]", "1.2.3.4:8001",
        "evil@localhost", "localhost@evil.test", "localhost:x", "localhost:8001/..", "[::1", "user:x@127.0.0.1",
        "127.0.0.1:8001#", "2130706433", "localhost evil.test", "[::1].evil.test", "[::1]x", "localhost\\evil.test",
    ],
)  # fmt: skip
def test_foreign_names(host):
    assert refusal(OPEN, host, [], None) is not None


@pytest.mark.parametrize(
    ("origins", "passes"),
    [
        (["http://localhost:3000"], True),
        (["https://127.0.0.1"], True),
        (["http://[::1]:8002"], True),
        (["http://lab.internal"], True),
        (["null"], False),
        ([""], False),
        (["http://evil.test"], False),
        (["http://localhost.evil.test"], False),
        (["file://"], False),
        (["moz-extension://localhost"], False),
        (["http://[bad"], False),
        (["http://[::1].evil.test"], False),
        (["http://localhost@evil.test"], False),
        (["http://localhost:80@evil.test"], False),
        (["http://evil.test\\@localhost"], False),
        (["http://localhost/"], False),
        (["http://localhost", "http://evil.test"], False),
    ],
)
def test_origins(origins, passes):
    assert (refusal(OPEN, "localhost", origins, None) is None) == passes


@pytest.mark.parametrize(
    ("site", "passes"), [("same-origin", True), ("same-site", True), ("none", True), ("cross-site", False), (" Cross-Site", False),
     ("same-origin, cross-site", False), ("", True)]
)  # fmt: skip
def test_the_browser_tells_of_cross_site_requests(site, passes):
    assert (refusal(OPEN, "localhost", [], site) is None) == passes


@pytest.mark.parametrize(
    ("token", "authorization", "passes"),
    [
        ("s3cret", None, True),
        (None, "Bearer s3cret", True),
        (None, "bearer  s3cret ", True),
        ("wrong", "Bearer s3cret", True),
        (None, None, False),
        ("", None, False),
        ("s3cre", None, False),
        ("s3cret2", None, False),
        (None, "Basic s3cret", False),
        (None, "s3cret", False),
        ("\u00fc", None, False),
    ],
)
def test_the_token(token, authorization, passes):
    assert has_token(Access(token="s3cret"), token, authorization) == passes
    assert has_token(Access(), token, authorization)
