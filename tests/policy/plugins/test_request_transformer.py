"""request-transformer: what the upstream gets. Expected values as a real Kong sent them, where it was recorded."""

import pytest

from aimon_local.policy.call import NEED_BODY
from aimon_local.policy.plugins.request_transformer import PLUGIN
from tests.support.calls import compile_rule, entity, make_call, pairs

ABC = entity(groups=("/r/abc", "abc"), captures={"cap": "abc"})
SENT = [("X-Have", "h1"), ("X-Other", "o"), ("User-Agent", "kt")]


def run(config, target="/", fields=(), body=None, method="GET", content_type=None):
    """The call after the rule; the body is gathered where the rule asks for it."""
    if content_type:
        fields = [("Content-Type", content_type), *fields]
    call = make_call(method, target, fields, match=ABC, content_length=None if body is None else len(body))
    rule = compile_rule(PLUGIN, config)
    outcome = rule.access(call)
    if outcome is NEED_BODY:
        assert pairs(call.fields) == pairs(make_call(fields=fields).fields)
        call.body = body or b""
        outcome = rule.access(call)
    assert outcome is None
    return call


def headers(edits, sent=SENT, target="/abc?q=1"):
    call = run({edit: {"headers": entries} for edit, entries in edits.items()}, target, sent)
    return sorted((name.lower(), value) for name, value in pairs(call.fields)), call


def low(*fields):
    return sorted((name.lower(), value) for name, value in fields)


@pytest.mark.parametrize(
    ("edits", "fields"),
    [
        ({"add": ["x-new:1", "x-have:2"]}, [*SENT, ("x-new", "1")]),
        ({"append": ["x-new:1", "x-have:2"]}, [*SENT, ("x-new", "1"), ("x-have", "2")]),
        ({"replace": ["x-new:1", "x-have:2"]}, [*SENT[1:], ("x-have", "2")]),
        ({"remove": ["x-have", "X-OTHER", "user-agent", "none"]}, []),
        ({"rename": ["x-have:x-renamed", "x-no:x-y"]}, [*SENT[1:], ("x-renamed", "h1")]),
        ({"rename": ["x-have:x-other"]}, [("x-other", "h1"), SENT[2]]),
        ({"rename": ["X-Have:x-have"]}, SENT[1:]),
        (
            {
                "remove": ["x-have"],
                "rename": ["x-have:x-r"],
                "replace": ["x-r:3"],
                "add": ["x-have:4"],
                "append": ["x-have:5"],
            },
            [*SENT[1:], ("x-have", "4"), ("x-have", "5")],
        ),
        ({"add": ["x-a:", "x-e:a:b"], "replace": ["x-have:"], "append": ["x-b:"]}, [*SENT, ("x-e", "a:b")]),
        ({"add": ["host:added.test", "content-length:5", "connection:x", "transfer-encoding:chunked"]}, SENT),
        ({"append": ["te:x"], "rename": ["x-have:upgrade"]}, SENT),
    ],
)
def test_fields(edits, fields):
    assert headers(edits)[0] == low(*fields)


def test_several_values_of_a_field():
    two = [("X-Have", "h1"), ("X-Have", "h2")]
    assert headers({"append": ["x-have:2"]}, two)[0] == low(*two, ("x-have", "2"))
    assert headers({"replace": ["x-have:2"]}, two)[0] == low(("x-have", "2"))
    assert headers({"rename": ["x-have:x-r"]}, two)[0] == low(("x-r", "h1"), ("x-r", "h2"))


def test_host_is_replaced_but_not_added():
    assert headers({"replace": ["host:other.test"]})[1].upstream_host == b"other.test"
    assert headers({"rename": ["x-have:Host"]})[1].upstream_host == b"h1"
    assert headers({"add": ["host:other.test"]})[1].upstream_host == b"127.0.0.1:5000"
    assert headers({"remove": ["host"]})[1].upstream_host == b"127.0.0.1:5000"


def test_templates_in_fields():
    templates = ["x-t:$(headers.x_have)", "x-q:$(query_params.q)", "x-c:$(uri_captures.cap)"]
    templates += ["x-d:$(query_params.none or 'dflt')", "x-n:$(nil)", "x-u:$(uri_captures[1])", "x-s:$(shared.x)"]
    got, _ = headers({"add": templates}, [("X-Have", "h1")])
    expected = [("x-t", "h1"), ("x-q", "1"), ("x-c", "abc"), ("x-d", "dflt"), ("x-n", ""), ("x-u", "abc"), ("x-s", "")]
    assert got == low(("x-have", "h1"), *expected)


def test_a_client_can_not_break_out_of_a_field():
    got, _ = headers({"add": ["x-q:$(query_params.q)"]}, [], "/?q=a%0D%0AX-Consumer-Id:%20root%00")
    assert got == [("x-q", "a%0D%0AX-Consumer-Id: root%00")]


def test_bytes_of_fields_survive():
    got, _ = headers({"add": ["x-q:ü$(query_params.q)"]}, [], "/?q=%C3%BC%FF")
    assert got[0][1].encode("latin-1") == "üü".encode() + b"\xff"


# ---- method


def test_method():
    call = run({"http_method": "POST"}, "/?q=1")
    assert (call.upstream_method, call.upstream_query) == ("POST", "q=1")


def test_a_form_that_becomes_a_get_goes_into_the_query_too():
    call = run(
        {"http_method": "GET"}, "/", body=b"b=1", method="POST", content_type="application/x-www-form-urlencoded"
    )
    assert (call.upstream_method, call.upstream_query, call.body) == ("GET", "b=1", b"b=1")
    call = run({"http_method": "HEAD"}, "/?b=0&a", body=b"b=1&b=2&c", content_type="application/x-www-form-urlencoded")
    assert call.upstream_query == "a&b=0&b=1&b=2&c"


def test_other_bodies_and_methods_do_not():
    call = run({"http_method": "GET"}, "/", body=b"{}", method="POST", content_type="application/json")
    assert (call.upstream_query, call.body) == (None, b"{}")
    call = run({"http_method": "PUT"}, "/", body=b"b=1", content_type="application/x-www-form-urlencoded")
    assert (call.upstream_query, call.body) == (None, None)


# ---- query


@pytest.mark.parametrize(
    ("edits", "target", "query"),
    [
        ({"add": ["h:$(headers['x-h'])", "sp:a b&c"]}, "/?a=1", "a=1&h=h&sp=a%20b%26c"),
        ({"add": ["h:$(headers['x-no'])", "sp:a b&c"]}, "/", "h=&sp=a%20b%26c"),
        ({"add": ["a:2", "b:"]}, "/?a=1&c", "a=1&c"),
        ({"remove": ["a"]}, "/?a=1&a=2&b=3", "b=3"),
        ({"remove": ["a"]}, "/?a=1", None),
        ({"remove": ["a"]}, "/?", ""),
        ({"rename": ["a:z"]}, "/?a=1&b=2", "b=2&z=1"),
        ({"rename": ["a:z"]}, "/?z=1", None),
        ({"replace": ["a:9", "n:9"]}, "/?a=1&b", "a=9&b"),
        ({"replace": ["a:"]}, "/?a=1&b", "b"),
        ({"append": ["a:2", "n:1", "b:1"]}, "/?a=1&b", "a=1&a=2&b=1&n=1"),
        ({"append": ["a:3"]}, "/?a=1&a=2", "a=1&a=2&a=3"),
        (
            {"remove": ["a"], "rename": ["b:a"], "replace": ["a:r"], "add": ["b:n"], "append": ["b:m"]},
            "/?a=1&b=2",
            "a=r&b=n&b=m",
        ),
    ],
)
def test_query(edits, target, query):
    call = run({edit: {"querystring": entries} for edit, entries in edits.items()}, target, [("X-H", "h")])
    assert call.upstream_query == query


def test_a_query_that_no_edit_names_stays_byte_for_byte():
    assert run({"add": {"headers": ["x:1"]}}, "/?b=%7e&a&&").upstream_query == "b=%7e&a&&"


# ---- path


@pytest.mark.parametrize(
    ("uri", "target", "path"),
    [
        ("/fixed", "/?a=1", "/fixed"),
        ("/u/$(uri_captures.cap)/$(query_params.a)", "/?a=1", "/u/abc/1"),
        ("/u/$(uri_captures.cap)/$(query_params.a)", "/", "/u/abc/"),
        ("/a b/ü/%20/$(query_params.a)", "/?a=%23%0D%0A%22x", "/a%20b/%C3%BC/%20/%23%0D%0A%22x"),
        ("/a[1];b=c?d", "/", "/a[1];b=c?d"),
    ],
)
def test_path(uri, target, path):
    call = run({"replace": {"uri": uri}}, target)
    assert call.upstream_path == path
    assert call.upstream_query == make_call(target=target).query


@pytest.mark.parametrize("uri", ["x", "$(query_params.none)", "/$(shared.a.b)"])
def test_what_is_no_path_fails_as_kong_does(uri):
    outcome = compile_rule(PLUGIN, {"replace": {"uri": uri}}).access(make_call())
    assert (outcome.status, outcome.message) == (500, "An unexpected error occurred")


# ---- bodies

FORM, JSON = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
REMOVE, RENAME = {"remove": {"body": ["a"]}}, {"rename": {"body": ["a:z"]}}
ADD, REPLACE, APPEND = ({edit: {"body": ["a:2", "n:3"]}} for edit in ("add", "replace", "append"))


@pytest.mark.parametrize(
    ("config", "content_type", "sent", "body"),
    [
        (REMOVE, FORM, b"a=1", b""),
        (REMOVE, FORM, b"a=1&b=%20", b"b=%20"),
        (REMOVE, JSON, b'{"a":"1"}', b"{}"),
        (REMOVE, JSON, b'{"b":{"a":1}}', b'{"b":{"a":1}}'),
        (REMOVE, JSON, b'{ "b" : "x/y" }', b'{"b":"x\\/y"}'),
        (REMOVE, "text/plain", b"a=1", b"a=1"),
        (REMOVE, JSON, b"{bad", b"{bad"),
        (REMOVE, JSON, b"", b""),
        (REMOVE, JSON, b"[1, 2]", b"[1, 2]"),
        (RENAME, FORM, b"a=1", b"z=1"),
        (RENAME, JSON, b'{"a":"1"}', b'{"z":"1"}'),
        (RENAME, JSON, b'{"z":"1","b":2}', b'{"b":2}'),
        (ADD, FORM, b"a=1", b"a=1&n=3"),
        (ADD, FORM, b"", b"a=2&n=3"),
        (ADD, JSON, b"", b'{"a":"2","n":"3"}'),
        (ADD, JSON, b'{"a":false,"n":null}', b'{"a":"2","n":null}'),
        (ADD, JSON, b'{"a": 1, "n": 0}', b'{"a": 1, "n": 0}'),
        (REPLACE, FORM, b"a=1&a=4", b"a=2"),
        (REPLACE, JSON, b'{"a":{"x":1}}', b'{"a":"2"}'),
        (REPLACE, JSON, b'{"b": 1}', b'{"b": 1}'),
        (REPLACE, JSON, b"", b""),
        (APPEND, FORM, b"a=1", b"a=1&a=2&n=3"),
        (APPEND, JSON, b'{"a":"1","n":[0]}', b'{"a":["1","2"],"n":[0,"3"]}'),
        (APPEND, JSON, b'{"a":1}', b'{"a":["2"],"n":["3"]}'),
    ],
)
def test_bodies(config, content_type, sent, body):
    call = run(config, body=sent, method="POST", content_type=content_type)
    assert (sent if call.body is None else call.body) == body


def test_templates_and_utf8_in_bodies():
    config = {"add": {"body": ["ü:$(query_params.q)/"]}}
    assert run(config, "/?q=%C3%BC", body=b"{}", content_type=JSON).body == '{"ü":"ü\\/"}'.encode()
    assert run(config, "/?q=%C3%BC", body=b"", content_type=FORM).body == b"%C3%BC=%C3%BC%2F"


def test_a_template_that_fails_in_a_body_fails_the_request():
    rule = compile_rule(PLUGIN, {"add": {"body": ["n:$(shared.a.b)"]}})
    for content_type in (JSON, FORM):
        call = make_call("POST", fields=[("Content-Type", content_type)], body=b"{}")
        assert rule.access(call).status == 500


def part(name, value, more=b""):
    return b'--XX\r\nContent-Disposition: form-data; name="' + name + b'"' + more + b"\r\n\r\n" + value + b"\r\n"


FILE = part(b"f", b"\x00\r\n", b'; filename="x"\r\nContent-Type: application/octet-stream')
END = b"--XX--\r\n"


@pytest.mark.parametrize(
    ("config", "sent", "body"),
    [
        (REMOVE, part(b"a", b"1") + FILE + END, FILE + END),
        (REMOVE, part(b"a", b"1") + END, b""),
        (RENAME, part(b"a", b"1") + FILE + END, FILE + part(b"z", b"1") + END),
        (REPLACE, part(b"a", b"1") + FILE + END, FILE + part(b"a", b"2") + END),
        (ADD, part(b"a", b"1") + FILE + END, part(b"a", b"1") + FILE + part(b"n", b"3") + END),
        (ADD, b"", part(b"a", b"2") + part(b"n", b"3") + END),
        (APPEND, part(b"a", b"1") + END, part(b"a", b"1") + END),
        (REPLACE, FILE + END, FILE + END),
    ],
)
def test_multipart(config, sent, body):
    assert run(config, body=sent, method="POST", content_type="multipart/form-data; boundary=XX").body == body


def test_multipart_without_a_boundary_stays_what_it_is():
    assert run(REMOVE, body=b"x", content_type="multipart/form-data").body == b"x"


def test_a_body_is_gathered_only_where_something_is_edited():
    for config, content_type in [(REMOVE, "text/plain"), (REMOVE, None), ({"add": {"headers": ["x:1"]}}, JSON)]:
        assert run(config, body=b"{}", content_type=content_type).body is None
    retyped = {"add": {"body": ["n:1"]}, "replace": {"headers": ["content-type:application/json"]}}
    assert run(retyped, body=b"{}", content_type="text/plain").body == b'{"n":"1"}'


# ---- configuration


def test_schema_checks_names_and_templates():
    records = {field.name: {f.name: f for f in field.fields} for field in PLUGIN.config.fields}
    header = records["add"]["headers"].elements
    assert header.attrs["match"] == "^[^:]+:.*$"
    assert header.check("x y:1") == "'x y' is not a valid header"
    assert header.check("x:$(query_params.a or 'b')") is None
    assert "is not in supported format" in header.check("x:$(os.exit())")
    assert records["rename"]["headers"].elements.check("x:") == "'' is not a valid header"
    assert "is not in supported format" in records["append"]["body"].elements.check("x:$(f())")
    assert records["add"]["querystring"].elements.check(":x") is None
    assert records["replace"]["uri"].check("$(bad lua") is None
    assert records["replace"]["uri"].check("/$(uri_captures[1])") is None
    assert "is not in supported format" in records["replace"]["uri"].check("$(bad lua)")
    assert all(field.elements.check is None for field in records["remove"].values())
