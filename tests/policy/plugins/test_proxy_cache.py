"""proxy-cache: what is kept, for whom, how long, and what the client hears of it."""

import pytest

from aimon_local.policy.call import Answer, Refuse
from aimon_local.policy.plugins.proxy_cache import PLUGIN
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, compile_rule, entity, make_call, make_draft, pairs
from tests.support.plugins import stored

TEXT = ("Content-Type", "text/plain; charset=UTF-8")
SECOND = 10**9


class Gateway:
    """Requests through one cache, at a clock that is set by hand."""

    def __init__(self, **config):
        self.rule = compile_rule(PLUGIN, {"strategy": "memory", **config})
        self.state = LimitState()
        self.now = NOON * SECOND

    def ask(self, target="/a", body=b"1", fields=(), answer=(TEXT,), status=200, method="GET", **facts):
        """(status word, body): the kept body on a hit, else ``body`` as the upstream's."""
        call = make_call(method, target, fields, now_ns=self.now, state=self.state, **facts)
        self.outcome = self.rule.access(call)
        if isinstance(self.outcome, Answer):
            told = {name.decode(): value.decode() for name, value in self.outcome.fields}
            return told.get("X-Cache-Status"), self.outcome.body
        draft = make_draft(status, answer, from_upstream=self.outcome is None)
        self.rule.response(call, draft)
        keep = self.rule.body(call, draft)
        if keep is not None and self.outcome is None:
            assert keep(body) == body
        self.draft = dict(pairs(draft.fields))
        return self.draft.get("X-Cache-Status"), body

    def wait(self, seconds):
        self.now += int(seconds * SECOND)


def test_a_miss_then_hits_with_key_and_age():
    gateway = Gateway()
    assert gateway.ask() == ("Miss", b"1")
    key = gateway.draft["X-Cache-Key"]
    gateway.wait(7)
    assert gateway.ask(body=b"2") == ("Hit", b"1")
    hit = gateway.outcome
    assert (hit.status, hit.content_type, hit.proxied, hit.reason) == (200, TEXT[1].encode(), True, None)
    assert dict(hit.fields) == {b"age": b"7", b"X-Cache-Status": b"Hit", b"X-Cache-Key": key.encode()}


def test_the_ttl_ends_it():
    gateway = Gateway(cache_ttl=1)
    gateway.ask()
    gateway.wait(0.9)
    assert gateway.ask() == ("Hit", b"1")
    gateway.wait(0.2)
    assert gateway.ask(body=b"2") == ("Miss", b"2")


def test_what_is_kept_longer_than_it_is_fresh_is_refreshed():
    gateway = Gateway(cache_ttl=10, storage_ttl=100)
    gateway.ask()
    gateway.wait(11)
    assert gateway.ask(body=b"2") == ("Refresh", b"2")
    assert gateway.ask(body=b"3") == ("Hit", b"2")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"target": "/a"}, {"target": "/b"}),
        ({"target": "/a?x=1"}, {"target": "/a?x=2"}),
        ({"target": "/a?x=1"}, {"target": "/a"}),
        ({"target": "/a?x"}, {"target": "/a?x="}),
        ({"target": "/A"}, {"target": "/a"}),
        ({"method": "GET"}, {"method": "HEAD"}),
        ({"consumer": entity(id="c1")}, {"consumer": entity(id="c2")}),
        ({"consumer": entity(id="c1")}, {}),
        ({"match": entity(route=entity(id="r1"))}, {"match": entity(route=entity(id="r2"))}),
    ],
)
def test_what_tells_requests_apart(first, second):
    gateway = Gateway()
    gateway.ask(**first)
    assert gateway.ask(**second)[0] == "Miss"
    assert gateway.ask(**first)[0] == "Hit"


def test_the_order_of_arguments_does_not_count():
    gateway = Gateway()
    gateway.ask("/a?x=1&y=2")
    assert gateway.ask("/a?y=2&x=1")[0] == "Hit"


def test_only_named_arguments_and_fields_count():
    gateway = Gateway(vary_query_params=["a"], vary_headers=["X-V"])
    gateway.ask("/a?a=1&z=1")
    assert gateway.ask("/a?a=1&z=2")[0] == "Hit"
    assert gateway.ask("/a?a=2")[0] == "Miss"
    assert gateway.ask("/a?a=1", fields=[("x-v", "v")])[0] == "Miss"
    assert gateway.ask("/a?a=1", fields=[("X-V", "v"), ("X-W", "w")])[0] == "Hit"


def test_the_case_of_the_path_can_be_ignored():
    gateway = Gateway(ignore_uri_case=True)
    gateway.ask("/Abc")
    assert gateway.ask("/aBC")[0] == "Hit"


@pytest.mark.parametrize(
    ("status", "content_type", "word"),
    [
        (200, "text/plain", "Miss"),
        (301, "TEXT/plain", "Miss"),
        (404, "application/json; charset=utf-8", "Miss"),
        (201, "text/plain", "Bypass"),
        (503, "text/plain", "Bypass"),
        (200, "text/html", "Bypass"),
        (200, "nonsense", "Bypass"),
        (200, None, "Bypass"),
    ],
)
def test_which_answers_are_kept(status, content_type, word):
    gateway, fields = Gateway(), [("Content-Type", content_type)] if content_type else []
    assert gateway.ask(status=status, answer=fields)[0] == word
    assert gateway.ask()[0] == ("Hit" if word == "Miss" else "Miss")


@pytest.mark.parametrize(
    ("configured", "sent", "kept"),
    [
        ("text/plain; charset=utf-8", "text/plain; charset=UTF-8", True),
        ("text/plain; charset=utf-8", "text/plain", False),
        ("text/plain; charset=utf-8", "text/plain; charset=latin-1", False),
        ("text/*", "text/html", True),
        ("*/*", "image/png", True),
        ("x", "x", False),
    ],
)
def test_configured_media_types(configured, sent, kept):
    gateway = Gateway(content_type=[configured])
    assert gateway.ask(answer=[("Content-Type", sent)])[0] == ("Miss" if kept else "Bypass")


def test_other_methods_pass_by_without_a_key():
    gateway = Gateway()
    assert gateway.ask(method="POST")[0] == "Bypass"
    assert "X-Cache-Key" not in gateway.draft
    posts = Gateway(request_method=["POST"])
    assert [posts.ask(method="POST")[0], posts.ask(method="POST")[0]] == ["Miss", "Hit"]


@pytest.mark.parametrize("directive", ["no-store", "no-cache", "max-age=1, NO-CACHE"])
def test_a_client_can_go_past_the_cache_where_its_say_counts(directive):
    gateway = Gateway(cache_control=True)
    gateway.ask(answer=[TEXT, ("Cache-Control", "max-age=100")])
    assert gateway.ask(body=b"2", fields=[("Cache-Control", directive)]) == ("Bypass", b"2")
    assert "X-Cache-Key" not in gateway.draft
    deaf = Gateway()
    deaf.ask()
    assert deaf.ask(fields=[("Cache-Control", directive)])[0] == "Hit"


def test_only_if_cached_gets_no_upstream():
    gateway = Gateway(cache_control=True)
    gateway.ask(fields=[("Cache-Control", "only-if-cached")])
    refusal = gateway.outcome
    assert isinstance(refusal, Refuse)
    assert (refusal.status, refusal.failure) == (504, True)
    assert "X-Cache-Key" in gateway.draft
    assert "X-Cache-Status" not in gateway.draft
    gateway.ask(answer=[TEXT, ("Cache-Control", "max-age=9")])
    assert gateway.ask(fields=[("Cache-Control", "only-if-cached")])[0] == "Hit"


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (("Cache-Control", "max-age=100"), 100),
        (("Cache-Control", 's-maxage="50", max-age=100'), 50),
        (("Expires", "Wed, 15 Nov 2023 12:00:30 GMT"), 30),
        (("Cache-Control", "max-age=0"), None),
        (("Cache-Control", "max-age=x"), None),
        (("Cache-Control", "private, max-age=100"), None),
        (("Cache-Control", "no-store"), None),
        (("Cache-Control", "no-cache=set-cookie"), None),
        (("Expires", "0"), None),
        (("Expires", "Wed, 15 Nov 2023 11:00:00 GMT"), None),
        (("X-None", "at all"), None),
    ],
)
def test_the_answers_own_say(field, seconds):
    gateway = Gateway(cache_control=True)
    assert gateway.ask(answer=[TEXT, field])[0] == ("Bypass" if seconds is None else "Miss")
    if seconds is not None:
        gateway.wait(seconds - 0.1)
        assert gateway.ask()[0] == "Hit"
        gateway.wait(0.1)
        assert gateway.ask()[0] != "Hit"


@pytest.mark.parametrize(
    ("directive", "age", "word"),
    [
        ("max-age=10", 10, "Hit"),
        ("max-age=10", 11, "Refresh"),
        ("min-fresh=60", 40, "Hit"),
        ("min-fresh=60", 41, "Refresh"),
        ("max-stale=10", 110, "Hit"),
        ("max-stale=10", 111, "Refresh"),
    ],
)
def test_how_old_a_client_takes_it(directive, age, word):
    gateway, fresh = Gateway(cache_control=True, storage_ttl=1000), [TEXT, ("Cache-Control", "max-age=100")]
    gateway.ask(answer=fresh)
    gateway.wait(age)
    assert gateway.ask(fields=[("Cache-Control", directive)], answer=fresh)[0] == word


def test_told_fields_can_be_switched_off():
    gateway = Gateway(response_headers={"age": False, "X-Cache-Status": False, "X-Cache-Key": False})
    gateway.ask()
    assert gateway.draft == dict([TEXT])
    assert gateway.ask(body=b"2") == (None, b"1")
    assert gateway.outcome.fields == ()


def test_what_belongs_to_one_delivery_is_not_kept():
    gateway = Gateway()
    call = make_call("GET", "/a", now_ns=gateway.now, state=gateway.state)
    call.reply_fields.append((b"X-RateLimit-Remaining-Minute", b"4"))
    gateway.rule.access(call)
    draft = make_draft(
        200, [TEXT, ("X-Own", "1"), ("Via", "1.1 x"), ("X-RateLimit-Remaining-Minute", "4"), ("Connection", "x")]
    )
    gateway.rule.response(call, draft)
    gateway.rule.body(call, draft)(b"1")
    gateway.ask()
    names = [name for name, _ in gateway.outcome.fields]
    assert names == [b"X-Own", b"age", b"X-Cache-Status", b"X-Cache-Key"]


def test_a_request_that_an_earlier_rule_refused_is_left_alone():
    rule, call, draft = compile_rule(PLUGIN, {"strategy": "memory"}), make_call(), make_draft(401, from_upstream=False)
    rule.response(call, draft)
    assert draft.fields == []
    assert rule.body(call, draft) is None


def test_a_header_value_is_not_confused_with_two():
    gateway = Gateway(vary_headers=["X-V"])
    gateway.ask(fields=[("X-V", "a"), ("X-V", "b")])
    assert gateway.ask(fields=[("X-V", "a, b")])[0] == "Miss"


def test_proxy_cache_config():
    assert stored(PLUGIN, {"strategy": "memory"}) == {
        "response_code": [200, 301, 404], "request_method": ["GET", "HEAD"], "content_type": ["text/plain", "application/json"],
        "cache_ttl": 300, "strategy": "memory", "cache_control": False, "ignore_uri_case": False, "storage_ttl": None,
        "memory": {"dictionary_name": "kong_db_cache"}, "vary_query_params": None, "vary_headers": None,
        "response_headers": {"age": True, "X-Cache-Status": True, "X-Cache-Key": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("config", "refusal"),
    [
        ({}, "config.strategy: required field missing"),
        ({"strategy": "redis"}, "config.strategy: expected one of: memory"),
        ({"cache_ttl": 0}, "config.cache_ttl: value must be greater than 0"),
        ({"response_code": []}, "config.response_code: length must be at least 1"),
        ({"memory": {"dictionary_name": "nope"}}, "missing shared dict 'nope'"),
    ],
)
def test_proxy_cache_refuses(config, refusal):
    given = {"strategy": "memory", **config} if config else {}
    assert stored(PLUGIN, given) == f"schema violation ({refusal})"
