"""What the requests library asks of an httpbin, asked of ours by the real library over loopback."""

import asyncio
import io
import json
import threading
import time

import pytest
import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from aimon_local.mock.httpbin.server import httpbin_app
from aimon_local.wire.app import serve_app


class Loopback:
    """The app on a free port, its loop in a thread of its own; pauses are noted, not slept."""

    def __init__(self, http):
        self.http = http
        self.pauses = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _pause(self, seconds):
        self.pauses.append(seconds)
        if seconds >= 9:  # only the tests of a client that gives up wait so long
            await asyncio.sleep(seconds)

    async def _main(self):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self.listener = await serve_app(httpbin_app(sleep=self._pause), "127.0.0.1", 0, http=self.http)
        self.base = f"http://127.0.0.1:{self.listener.port}"
        self._ready.set()
        await self._over.wait()
        await self.listener.close()

    def stop(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)


@pytest.fixture(scope="module", params=["auto", "h11"])
def server(request):
    loopback = Loopback(request.param)
    yield loopback
    loopback.stop()


@pytest.fixture
def httpbin(server):
    return lambda *parts: server.base + "/" + "/".join(parts)


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


# the basics ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_each_method_finds_its_echo(session, httpbin, method):
    answer = session.request(method, httpbin(method.lower()), params={"a": ["1", "2"]})
    assert answer.status_code == 200
    assert answer.json()["args"] == {"a": ["1", "2"]}
    assert answer.json()["url"] == httpbin(method.lower()) + "?a=1&a=2"


def test_head_has_the_fields_of_get_and_no_body(session, httpbin):
    head, get = session.head(httpbin("get")), session.get(httpbin("get"))
    assert head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert session.head(httpbin("stream/3")).content == b""


def test_options_and_trace(session, httpbin):
    assert "POST" in session.options(httpbin("post")).headers["Allow"]
    assert session.request("TRACE", httpbin("anything")).json()["method"] == "TRACE"


def test_header_values_come_back_as_sent(session, httpbin):
    sent = {"X-Plain": "v", "X-Blank": "", "User-Agent": "Mozilla/5.0 (test)", "X-Latin": "\xff".encode("latin-1")}
    headers = session.get(httpbin("headers"), headers=sent).json()["headers"]
    assert (headers["X-Plain"], headers["X-Blank"], headers["X-Latin"]) == ("v", "", "\xff")
    assert session.get(httpbin("user-agent"), headers=sent).json() == {"user-agent": "Mozilla/5.0 (test)"}


def test_unicode_in_path_and_query(session, httpbin):
    answer = session.get(httpbin("anything/méthode"), params={"é": "ü", "q": "a b&c"})
    assert answer.json()["args"] == {"é": "ü", "q": "a b&c"}
    assert "/anything/méthode?é=ü&" in answer.json()["url"]


def test_statuses_and_errors(session, httpbin):
    assert session.get(httpbin("status/204")).content == b""
    for status in (404, 500):
        with pytest.raises(requests.HTTPError):
            session.get(httpbin(f"status/{status}")).raise_for_status()
    assert session.get(httpbin("nowhere")).status_code == 404


# bodies -------------------------------------------------------------------------------------------------------------


def test_form_json_and_raw_bodies(session, httpbin):
    url = httpbin("post")
    assert session.post(url, data={"a": ["1", "2"], "b": "ü"}).json()["form"] == {"a": ["1", "2"], "b": "ü"}
    assert session.post(url, json={"deep": [1, {"x": None}]}).json()["json"] == {"deep": [1, {"x": None}]}
    assert session.post(url, data="raw ünicode".encode()).json()["data"] == "raw ünicode"
    assert session.post(url, data=b"\xff\xfe").json()["data"].startswith("data:application/octet-stream;base64,")
    assert session.post(url, data=io.BytesIO(b"from a file")).json()["data"] == "from a file"


def test_files_beside_fields(session, httpbin):
    files = [("one", ("a.txt", b"first")), ("two", ("ü.bin", b"\x00\xff", "image/png"))]
    answer = session.post(httpbin("post"), data={"field": "value"}, files=files).json()
    assert answer["form"] == {"field": "value"}
    assert answer["files"] == {"one": "first", "two": "data:image/png;base64,AP8="}
    assert answer["headers"]["Content-Type"].startswith("multipart/form-data; boundary=")


def test_a_generator_is_sent_in_chunks(session, httpbin):
    answer = session.post(httpbin("post"), data=(piece for piece in (b"one,", b"two"))).json()
    assert answer["data"] == "one,two"
    assert answer["headers"]["Transfer-Encoding"] == "chunked"


def test_a_big_body_and_expect_continue(session, httpbin):
    body = "x" * 3_000_000
    assert len(session.put(httpbin("put"), data=body, headers={"Expect": "100-continue"}).json()["data"]) == len(body)


# who is there -------------------------------------------------------------------------------------------------------


def test_basic_auth(session, httpbin):
    url = httpbin("basic-auth/user/pa ss")
    assert session.get(url).status_code == 401
    assert session.get(url, auth=("user", "wrong")).status_code == 401
    assert session.get(url, auth=HTTPBasicAuth("user", "pa ss")).json() == {"authenticated": True, "user": "user"}
    hidden = httpbin("hidden-basic-auth/user/pass")
    assert [session.get(hidden).status_code, session.get(hidden, auth=("user", "pass")).status_code] == [404, 200]


def test_bearer(session, httpbin):
    assert session.get(httpbin("bearer")).headers["WWW-Authenticate"] == "Bearer"
    assert session.get(httpbin("bearer"), headers={"Authorization": "Bearer t"}).json()["token"] == "t"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "either"])
def test_digest_auth_by_each_algorithm(session, httpbin, qop, algorithm):
    url = httpbin("digest-auth", qop, "user", "pass", algorithm, "never")
    if qop == "auth-int":  # requests can't answer it: it must not be let in
        assert session.get(url, auth=HTTPDigestAuth("user", "pass")).status_code == 401
        return
    answer = session.get(url, auth=HTTPDigestAuth("user", "pass"))
    assert answer.json() == {"authenticated": True, "user": "user"}
    assert session.get(url, auth=HTTPDigestAuth("user", "wrong")).status_code == 401
    assert session.get(url, auth=HTTPDigestAuth("other", "pass")).status_code == 401


def test_digest_covers_the_query(session, httpbin):
    url = httpbin("digest-auth/auth/user/pass?a=1&b=%20")
    assert session.get(url, auth=HTTPDigestAuth("user", "pass")).status_code == 200


def test_digest_sets_cookies_and_can_require_them(session, httpbin):
    url = httpbin("digest-auth/auth/user/pass/MD5/never?require-cookie=1")
    assert session.get(url, auth=HTTPDigestAuth("user", "pass")).status_code == 200
    assert session.cookies["fake"] == "fake_value"
    session.cookies.clear()
    wrong = {"Authorization": 'Digest username="user", nonce="n"', "Cookie": "fake=other"}
    assert session.get(url, headers=wrong).status_code == 403
    assert session.get(url, headers={"Authorization": wrong["Authorization"]}).status_code == 401


def test_a_stale_nonce_is_renewed(session, httpbin):
    url, auth = httpbin("digest-auth/auth/user/pass/MD5/2"), HTTPDigestAuth("user", "pass")
    assert [session.get(url, auth=auth).status_code for _ in range(2)] == [200, 200]
    third = session.get(url, auth=auth)  # used up; requests answers with the cookies of before, so it stays refused
    assert third.status_code == 401
    assert "stale=True" in third.headers["WWW-Authenticate"]
    assert session.get(url, auth=auth).status_code == 200


def test_digest_on_a_streamed_answer(session, httpbin):
    url, auth = httpbin("digest-auth/auth/user/pass"), HTTPDigestAuth("user", "pass")
    with session.get(url, auth=auth, stream=True) as answer:
        assert answer.raw.read() != b""


# cookies and redirects ----------------------------------------------------------------------------------------------


def test_cookies_are_set_shown_and_deleted(session, httpbin):
    shown = session.get(httpbin("cookies/set?foo=bar&two=b%20b")).json()["cookies"]
    assert shown["foo"] == "bar"
    assert session.get(httpbin("cookies/set/name/value")).json()["cookies"]["name"] == "value"
    left = session.get(httpbin("cookies/delete?foo")).json()["cookies"]
    assert "foo" not in left
    assert left["name"] == "value"


def test_a_quoted_cookie_keeps_its_quotes(session, httpbin):
    session.get(httpbin('cookies/set?foo="bar:baz"'))
    assert session.cookies["foo"] == '"bar:baz"'


def test_a_cookie_is_there_on_the_first_redirect(session, httpbin):
    answer = session.get(httpbin("cookies/set?foo=bar"), allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"], answer.cookies["foo"]) == (302, "/cookies", "bar")


@pytest.mark.parametrize("kind", ["redirect", "relative-redirect", "absolute-redirect"])
def test_redirects_with_history(session, httpbin, kind):
    answer = session.get(httpbin(kind, "5"))
    assert answer.status_code == 200
    assert [step.status_code for step in answer.history] == [302] * 5
    assert answer.url == httpbin("get")


def test_too_many_redirects(session, httpbin):
    session.max_redirects = 5
    with pytest.raises(requests.TooManyRedirects):
        session.get(httpbin("relative-redirect/20"))


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (303, "HEAD", "HEAD")],
)
def test_how_the_method_changes(session, httpbin, status, method, after):
    answer = session.request(method, httpbin(f"status/{status}"), allow_redirects=True)
    assert [step.status_code for step in answer.history] == [status, 302]
    assert answer.request.method == after


def test_a_307_keeps_method_and_body(session, httpbin):
    answer = session.post(httpbin("redirect-to?url=/post&status_code=307"), data=io.BytesIO(b"body"))
    assert answer.history[0].status_code == 307
    assert answer.json()["data"] == "body"


def test_a_redirect_to_a_path_in_utf8(session, httpbin):
    answer = session.get(httpbin("redirect-to"), params={"url": "/anything/š"})
    assert answer.history[0].headers["Location"] == "/anything/%C5%A1"
    assert answer.url.endswith("/anything/%C5%A1")


# streams, encodings, ranges, time -----------------------------------------------------------------------------------


def test_stream_comes_in_lines_and_chunks(session, httpbin):
    with session.get(httpbin("stream/4"), stream=True) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert [json.loads(line)["id"] for line in answer.iter_lines()] == [0, 1, 2, 3]
    with session.get(httpbin("stream-bytes/1000?seed=1&chunk_size=100"), stream=True) as answer:
        assert [len(chunk) for chunk in answer.iter_content(None)] == [100] * 10


def test_a_stream_left_early_does_no_harm(session, httpbin):
    with session.get(httpbin("drip?numbytes=10000000&duration=0"), stream=True) as answer:
        assert len(next(answer.iter_content(10))) == 10
    assert session.get(httpbin("get")).status_code == 200


@pytest.mark.parametrize(("path", "coding", "flag"), [("gzip", "gzip", "gzipped"), ("deflate", "deflate", "deflated")])
def test_content_codings(session, httpbin, path, coding, flag):
    answer = session.get(httpbin(path))
    assert answer.headers["Content-Encoding"] == coding
    assert answer.json()[flag] is True


def test_documents(session, httpbin):
    assert "<h1>" in session.get(httpbin("html")).text
    assert session.get(httpbin("encoding/utf8")).encoding == "utf-8"
    assert session.get(httpbin("xml")).headers["Content-Type"] == "application/xml"
    assert session.get(httpbin("json")).json()["slideshow"]["title"]
    assert session.get(httpbin("image/png")).content.startswith(b"\x89PNG")
    assert session.get(httpbin("base64/aGVsbG8=")).text == "hello"


def test_ranges(session, httpbin):
    answer = session.get(httpbin("range/26"), headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (206, b"cde", "bytes 2-4/26")


def test_etag_and_cache(session, httpbin):
    assert session.get(httpbin("etag/t"), headers={"If-None-Match": '"t"'}).status_code == 304
    assert session.get(httpbin("etag/t"), headers={"If-Match": '"u"'}).status_code == 412
    first = session.get(httpbin("cache"))
    assert session.get(httpbin("cache"), headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert session.get(httpbin("cache/60")).headers["Cache-Control"] == "public, max-age=60"


def test_response_headers_arrive(session, httpbin):
    answer = session.get(httpbin("response-headers"), params={"X-One": "1", "X-Two": "ü"})
    assert (answer.headers["X-One"], answer.headers["X-Two"]) == ("1", "ü")
    wide = session.get(httpbin("response-headers"), params={"X-Wide": "✓"})
    assert wide.headers["X-Wide"].encode("latin-1").decode() == "✓"


def test_a_delay_is_waited_for(session, httpbin, server):
    server.pauses.clear()
    assert session.get(httpbin("delay/2.5")).status_code == 200
    assert session.get(httpbin("drip?numbytes=2&duration=1&delay=3")).content == b"**"
    assert server.pauses[:3] == [2.5, 3.0, 0.5]


def test_a_client_that_gives_up_is_noticed(session, httpbin, server):
    begun = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        session.get(httpbin("delay/10"), timeout=(5, 0.05))
    assert time.monotonic() - begun < 5
    assert session.get(httpbin("get")).status_code == 200


def test_stats_count_what_was_served(session, httpbin):
    session.delete(httpbin("_mock/stats"))
    for path in ("get", "get?x=1", "status/404"):
        session.get(httpbin(path))
    expected = {"requests": 3, "paths": {"/get": {"200": 2}, "/status/404": {"404": 1}}}
    assert session.get(httpbin("_mock/stats")).json() == expected


def test_one_connection_serves_many(session, httpbin, server):
    before = server.listener.counts.accepted
    for _ in range(5):
        session.get(httpbin("get"))
    assert server.listener.counts.accepted - before == 1
