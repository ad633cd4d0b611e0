"""Tokens: what is one and what only looks like one, signatures, times."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy import tokens
from aimon_local.policy.tokens import BadToken, Token

HEADER = {"alg": "HS256", "typ": "JWT"}
NOW = 1000


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def text(header=HEADER, claims=(), signature=b"s"):
    return b".".join((part(header), part(dict(claims) if claims == () else claims), part(signature)))


def timed(**claims):
    return Token("HS256", HEADER, claims, b"", b"")


def test_a_token_comes_apart():
    token = tokens.read(text(claims={"iss": "k"}, signature=b"\x00\xff"))
    assert (token.algorithm, token.header, token.claims) == ("HS256", HEADER, {"iss": "k"})
    assert token.signature == b"\x00\xff"
    assert token.signed == part(HEADER) + b"." + part({"iss": "k"})


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (b"", "invalid JSON"),
        (b"garbage", "invalid JSON"),
        (b"a.b", "invalid JSON"),
        (b"a.b.c", "invalid JSON"),
        (part(HEADER) + b"." + part({}), "invalid JSON"),
        (text(b"{"), "invalid JSON"),
        (text(claims=b"\xff"), "invalid JSON"),
        (text(claims=b'{"exp": NaN}'), "invalid JSON"),
        (text(claims=b"[" * 100_000), "invalid JSON"),
        (text({"typ": "JWT"}), "invalid alg"),
        (text({"alg": "none"}, signature=b""), "invalid alg"),
        (text({"alg": "None"}), "invalid alg"),
        (text({"alg": "hs256"}), "invalid alg"),
        (text({"alg": ["HS256"]}), "invalid alg"),
        (text(["HS256"]), "invalid alg"),
        (text(None), "invalid alg"),
        (text(claims=b"false"), "invalid claims"),
        (text(claims=b"5"), "invalid claims"),
        (text() + b".x", "invalid signature"),
        (text() + b"*", "invalid signature"),
        (part(HEADER) + b"." + part({}) + b".x", "invalid signature"),
        (part(HEADER) + b"\r\n." + part({}) + b".", "invalid JSON"),
    ],
)
def test_what_is_no_token(source, why):
    with pytest.raises(BadToken, match=why):
        tokens.read(source)


def test_claims_that_are_a_list_hold_nothing():
    assert tokens.read(text(claims=[])).claims == {}


def test_lookup_asks_the_claims_then_the_header():
    token = Token("HS256", {"kid": "h", "iss": "h"}, {"iss": "c", "kid": False, "nul": None}, b"", b"")
    assert (token.lookup("iss"), token.lookup("kid"), token.lookup("no"), token.lookup("nul")) == ("c", "h", None, None)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_shared_secrets(algorithm):
    digest = hashlib.new("sha" + algorithm[2:]).name
    good = Token(algorithm, {}, {}, b"message", hmac.digest(b"secret", b"message", digest))
    assert tokens.is_symmetric(algorithm)
    assert tokens.symmetric_holds(good, b"secret")
    assert not tokens.symmetric_holds(good, b"Secret")
    assert not tokens.symmetric_holds(Token(algorithm, {}, {}, b"Message", good.signature), b"secret")
    assert not tokens.symmetric_holds(Token(algorithm, {}, {}, b"message", good.signature[:-1]), b"secret")
    assert not tokens.symmetric_holds(Token(algorithm, {}, {}, b"message", b""), b"secret")


def test_other_algorithms_are_not_symmetric():
    assert not any(tokens.is_symmetric(name) for name in ("RS256", "ES256", "PS256", "EdDSA"))


@pytest.mark.parametrize(
    ("claims", "faults"),
    [
        ({"exp": NOW + 1, "nbf": NOW}, {}),
        ({"exp": NOW + 0.5, "nbf": NOW - 0.5}, {}),
        ({"exp": NOW, "nbf": NOW + 1}, {"exp": "token expired", "nbf": "token not valid yet"}),
        ({"exp": -1, "nbf": 1e300}, {"exp": "token expired", "nbf": "token not valid yet"}),
        ({}, {"exp": "must be a number", "nbf": "must be a number"}),
        ({"exp": "1001", "nbf": None}, {"exp": "must be a number", "nbf": "must be a number"}),
        ({"exp": True, "nbf": [1]}, {"exp": "must be a number", "nbf": "must be a number"}),
    ],
)
def test_times(claims, faults):
    assert tokens.faults_in_time(timed(**claims), ("exp", "nbf"), NOW) == faults
    for name in claims:
        assert tokens.faults_in_time(timed(**claims), (name,), NOW) == {k: v for k, v in faults.items() if k == name}
    assert tokens.faults_in_time(timed(**claims), (), NOW) == {}


def test_how_long_a_token_may_live():
    assert not tokens.lives_too_long(timed(exp=NOW + 300), 300, NOW)
    assert tokens.lives_too_long(timed(exp=NOW + 301), 300, NOW)
    assert tokens.lives_too_long(timed(), 300, NOW)
    assert tokens.lives_too_long(timed(exp="x"), 300, NOW)


@given(st.binary(max_size=40))
def test_base64_with_and_without_padding_in_both_alphabets(raw):
    for encoded in (base64.urlsafe_b64encode(raw), base64.b64encode(raw)):
        assert tokens.decode(encoded) == tokens.decode(encoded.rstrip(b"=")) == raw


@given(st.one_of(st.binary(max_size=60), st.lists(st.binary(max_size=20), min_size=3, max_size=3).map(b".".join)))
def test_noise_is_refused_not_a_fault(noise):
    with pytest.raises(BadToken):
        tokens.read(noise)
