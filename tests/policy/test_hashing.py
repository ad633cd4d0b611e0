"""What is hashed of a request, and where a hash leads."""

from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.policy.entities import read_upstream
from aimon_local.policy.hashing import hash_key, ranked
from aimon_local.policy.nouns import Match, Target
from tests.support.calls import entity, make_call

CALL = {
    "target": "/a/7?q=2&q=1&e=",
    "fields": [("X-Key", "a"), ("X-Key", "b"), ("Cookie", "x=1; sid=me")],
    "client_ip": "10.0.0.9",
    "match": Match(SimpleNamespace(), None, captures={"id": "7"}, groups=("/a/7", "7", None)),
    "consumer": entity(id="consumer-1"),
}


def upstream(**fields):
    return read_upstream({"id": "u", "name": "u.test", "algorithm": "consistent-hashing", **fields}, ())


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"hash_on": "none"}, None),
        ({"hash_on": "consumer"}, "consumer-1"),
        ({"hash_on": "ip"}, "10.0.0.9"),
        ({"hash_on": "header", "hash_on_header": "x-key"}, "ab"),
        ({"hash_on": "header", "hash_on_header": "x-no"}, None),
        ({"hash_on": "header", "hash_on_header": "x-no", "hash_fallback": "ip"}, "10.0.0.9"),
        (
            {
                "hash_on": "header",
                "hash_on_header": "x-no",
                "hash_fallback": "header",
                "hash_fallback_header": "X-Key",
            },
            "ab",
        ),
        ({"hash_on": "cookie", "hash_on_cookie": "sid"}, "me"),
        ({"hash_on": "path"}, "/a/7"),
        ({"hash_on": "query_arg", "hash_on_query_arg": "q"}, "12"),
        ({"hash_on": "query_arg", "hash_on_query_arg": "e"}, None),
        ({"hash_on": "uri_capture", "hash_on_uri_capture": "id"}, "7"),
        ({"hash_on": "uri_capture", "hash_on_uri_capture": "1"}, "7"),
        ({"hash_on": "uri_capture", "hash_on_uri_capture": "2"}, None),
        ({"hash_on": "uri_capture", "hash_on_uri_capture": "9"}, None),
        ({"hash_on": "consumer", "algorithm": "round-robin"}, None),
    ],
)
def test_what_is_hashed(fields, key):
    assert hash_key(upstream(**fields), make_call(**CALL)) == key


def test_a_credential_stands_in_for_its_consumer():
    call = make_call(credential=entity(id="credential-1"))
    assert hash_key(upstream(hash_on="consumer"), call) == "credential-1"
    assert hash_key(upstream(hash_on="consumer"), make_call()) is None


def test_a_missing_cookie_is_made_once_and_set():
    of, call = upstream(hash_on="cookie", hash_on_cookie="sid", hash_on_cookie_path="/p"), make_call()
    key = hash_key(of, call)
    assert hash_key(of, call) == key
    assert call.reply_fields == [(b"Set-Cookie", f"sid={key}; Path=/p".encode())]
    later = make_call(fields=[("Cookie", f"sid={key}")])
    assert hash_key(of, later) == key
    assert later.reply_fields == []


targets = st.lists(st.integers(1, 200), min_size=2, max_size=6).map(
    lambda weights: [Target(str(at), f"h{at}:80", f"h{at}", 80, weight) for at, weight in enumerate(weights)]
)


@given(targets, st.text(max_size=8), st.data())
def test_a_target_that_leaves_moves_only_its_own_keys(known, key, data):
    gone = data.draw(st.sampled_from(known))
    before = ranked(key, known)
    after = ranked(key, [target for target in known if target is not gone])
    assert after == [target for target in before if target is not gone]


def test_keys_spread_by_weight():
    known = [Target(str(weight), f"h{weight}:80", f"h{weight}", 80, weight) for weight in (100, 300)]
    won = Counter(ranked(f"key{number}", known)[0].weight for number in range(4000))
    assert 0.70 < won[300] / 4000 < 0.80
