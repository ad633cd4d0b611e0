"""Header hygiene: laws by hypothesis, and Kong's rules by example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.wire.headers import Hop, accepts_trailers, clean_request, continue_via, safe_trailers, upstream_head
from aimon_local.wire.strict import HOP_BY_HOP

HOP = Hop(b"127.0.0.1", b"up.test:81", b"gw.test", 8000, b"/xf/a", b"/xf", b"0" * 32, b"1.1 gw/1")


def fields(*lines: bytes):
    made = []
    for line in lines:
        name, _, value = line.partition(b": ")
        made.append((name.lower(), value, line))
    return made


def names(found):
    return [each[0] for each in found]


def lines_of(head: bytes) -> list[bytes]:
    return head.split(b"\r\n")


IDENTITY = [
    "X-Consumer-Id", "X-Consumer-Username", "X-Consumer-Custom-Id", "X-Consumer-Groups", "X-Consumer-Anything", "X-Credential-Identifier",
    "X-Credential-Username", "X-Anonymous-Consumer", "X-Authenticated-Groups", "X-Kong-Request-Id",
]  # fmt: skip


def spellings(name: str) -> st.SearchStrategy[str]:
    """A name with other cases and with dashes or underscores."""
    return st.tuples(
        *[st.sampled_from(["-", "_"] if each == "-" else [each.lower(), each.upper()]) for each in name]
    ).map("".join)


@given(st.sampled_from(IDENTITY).flatmap(spellings))
def test_identity_fields_of_a_client_never_pass_in_any_spelling(name):
    assert clean_request(fields(name.encode() + b": evil")) == []


@given(st.sampled_from(["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Real-IP"]).flatmap(spellings))
def test_what_is_said_of_the_way_is_the_gateways(name):
    kept = clean_request(fields(name.encode() + b": 6.6.6.6"))
    head = upstream_head(b"GET", b"/a", kept, HOP).lower()
    plain = name.lower().replace("_", "-").encode()
    said = [line for line in lines_of(head) if line.partition(b":")[0].replace(b"_", b"-") == plain]
    assert len(said) == 1
    assert b"6.6.6.6" not in said[0] or plain == b"x-forwarded-for"


NAMES = st.sampled_from(
    [
        b"Host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"X-A",
        b"X_Consumer_Id",
        b"Accept",
        b"TE",
        b"Via",
        b"Connection",
        b"X-B",
    ]
)


@given(st.lists(st.tuples(NAMES, st.sampled_from([b"a", b"trailers"]))), st.lists(NAMES.map(bytes.lower)).map(tuple))
def test_cleaning_is_idempotent_and_keeps_order_framing_and_host(pairs, nominated):
    given_fields = fields(*[name + b": " + value for name, value in pairs])
    once = clean_request(given_fields, nominated)
    assert clean_request(once, nominated) == once
    assert clean_request(once) == once
    assert [each for each in given_fields if each in once] == once
    vital = (b"host", b"content-length")
    assert [each for each in once if each[0] in vital] == [each for each in given_fields if each[0] in vital]


def test_nominated_and_hop_by_hop_fields_stay_here():
    given_fields = fields(
        *[name.title() + b": x" for name in sorted(HOP_BY_HOP)],
        b"X-A: 1",
        b"X-B: 2",
        b"Proxy: evil",
        b"Expect: 100-continue",
    )
    assert names(clean_request(given_fields, (b"x-a", b"host", b"content-length"))) == [b"te", b"x-b"]


def test_proxy_authorization_is_kept():
    assert names(clean_request(fields(b"Proxy-Authorization: x", b"Proxy-Authenticate: y"))) == [
        b"proxy-authorization",
        b"proxy-authenticate",
    ]


def test_the_upstream_sees_kongs_fields():
    given_fields = fields(b"Host: gw.test:8000", b"Accept: */*", b"X-Forwarded-For: 1.1.1.1", b"X-Forwarded-For: 2.2.2.2", b"Via: 1.0 a", b"Via: 1.1 b",
                          b"X-Forwarded-Proto: https", b"TE: gzip, trailers", b"Content-Length: 5")  # fmt: skip
    lines = lines_of(upstream_head(b"GET", b"/a?b", clean_request(given_fields), HOP))
    assert lines[:2] == [b"GET /a?b HTTP/1.1", b"Host: up.test:81"]
    assert set(lines[2:]) == {
        b"Accept: */*", b"TE: trailers", b"X-Forwarded-Prefix: /xf", b"X-Forwarded-For: 1.1.1.1, 127.0.0.1", b"X-Forwarded-Proto: http",
        b"X-Forwarded-Host: gw.test", b"X-Forwarded-Port: 8000", b"X-Forwarded-Path: /xf/a", b"X-Real-IP: 127.0.0.1", b"X-Kong-Request-Id: " + b"0" * 32,
        b"Via: 1.0 a, 1.1 b, 1.1 gw/1", b"Connection: keep-alive", b"",
    }  # fmt: skip


def test_an_upgrade_is_passed_on():
    hop = Hop(b"::1", b"u", b"g", 80, b"/", None, b"id", b"1.1 g", upgrade=b"websocket")
    lines = lines_of(upstream_head(b"GET", b"/", [], hop))
    assert b"Connection: upgrade" in lines
    assert b"Upgrade: websocket" in lines


@pytest.mark.parametrize(
    ("target", "hop"),
    [
        (b"/a b", HOP),
        (b"/a\r\nX: y", HOP),
        (b"/", Hop(b"p", b"h\r\nX: y", b"g", 80, b"/", None, b"id", b"v")),
        (b"/", Hop(b"p", b"h", b"g", 80, b"/\nX: y", None, b"id", b"v")),
        (b"/", Hop(b"p", b"h", b"g", 80, b"/", b"/\rx", b"id", b"v")),
    ],
)
def test_nothing_breaks_out_of_its_line(target, hop):
    with pytest.raises(ValueError, match="line break or a blank"):
        upstream_head(b"GET", target, [], hop)


def test_answers_and_trailers():
    assert continue_via(fields(b"A: b", b"Via: 1.1 x"), b"1.1 gw")[-1] == (
        b"via",
        b"1.1 x, 1.1 gw",
        b"Via: 1.1 x, 1.1 gw",
    )
    assert names(
        safe_trailers(
            fields(b"Grpc-Status: 0", b"Content-Length: 1", b"Host: a", b"X-Consumer-Id: 1", b"Set-Cookie: a")
        )
    ) == [b"grpc-status"]
    assert accepts_trailers(fields(b"TE: deflate, Trailers"))
    assert not accepts_trailers(fields(b"TE: deflate"))
