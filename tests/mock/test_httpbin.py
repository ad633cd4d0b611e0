"""What the differential test can't see: waiting, chance, the table's promises, our own pages and pictures."""

import json
import random
import re
import struct
import zlib

import pytest

from aimon_local.clock import ManualClock
from aimon_local.mock.httpbin import cookie, dispatch, images, inspection
from aimon_local.mock.httpbin.ask import World, read
from aimon_local.mock.httpbin.table import TABLE
from aimon_local.mock.httpbin.tally import OTHERS, PATHS_MAX, Tally


def ask(target, method="GET", fields=(), body=b"", world=None):
    path, _, query = target.partition("?")
    return dispatch.answer(read(method, path, query, [("Host", "h:5000"), *fields], body, world=world))


def pauses(reply):
    return [part for part in reply.body if isinstance(part, float)]


def sent(reply):
    return b"".join(part for part in reply.body if isinstance(part, bytes))


def field(reply, name):
    return dict(reply.fields).get(name)


# the table --------------------------------------------------------------------------------------------------------


def test_every_row_is_documented_and_listed():
    page = ask("/").body.decode()
    for methods, path, function, doc in TABLE:
        assert doc.strip(), path
        assert (function.__doc__ or "").strip(), path
        assert f"<td>{methods}</td>" in page
        assert path in page, path


def filled(path):
    parts = {"seconds": "0", "codes": "200", "n": "1", "offset": "0"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: parts.get(m[1], "x"), path)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[1])
def test_every_row_is_reachable_by_each_of_its_methods(row):
    methods, path, _, _ = row
    for method in methods.split():
        reply = ask(filled(path), method)
        assert reply.status not in {405, 500}, (method, path)
        assert reply.status != 404 or reply.body == b"", (method, path)  # hidden basic auth hides, but without our page
    allow = field(ask(filled(path), "OPTIONS"), "Allow").split(", ")
    assert {*methods.split(), "OPTIONS"} <= set(allow)
    assert ("HEAD" in allow) == ("GET" in allow)


def test_an_unknown_method_names_the_known_ones():
    reply = ask("/get", "BREW")
    assert (reply.status, field(reply, "Allow")) == (405, "GET, HEAD, OPTIONS")


def test_doubled_slashes_lead_to_the_path_without_them():
    reply = ask("//get?a=%20b")
    assert (reply.status, field(reply, "Location")) == (308, "http://h:5000/get?a=%20b")
    assert ask("//nope").status == 404


def test_every_answer_is_open_to_other_origins_and_dated():
    world = World(clock=ManualClock(784_111_777_000_000_000))
    for target in ("/get", "/nope", "/status/500", "/response-headers?Access-Control-Allow-Origin=x"):
        reply = ask(target, fields=[("Origin", "http://o")], world=world)
        assert [v for n, v in reply.fields if n == "Access-Control-Allow-Origin"] == ["http://o"]
        assert field(reply, "Date") == "Sun, 06 Nov 1994 08:49:37 GMT"  # the example of RFC 9110, 5.6.7
        assert field(reply, "Server").startswith("aimon-local")


# waiting is data ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "wait"), [("/delay/0.5", 0.5), ("/delay/3", 3.0), ("/delay/99", 10.0)])
def test_delay_waits_before_the_head_ten_seconds_at_most(target, wait):
    assert ask(target).wait == wait


@pytest.mark.parametrize(
    "target", ["/delay/-1", "/delay/nan", "/delay/inf", "/drip?delay=-1", "/drip?duration=inf", "/drip?code=99"]
)
def test_what_can_not_be_waited_for_is_refused(target):
    assert ask(target).status == 400


def test_drip_spreads_bytes_over_the_duration():
    reply = ask("/drip?numbytes=4&duration=2&delay=1&code=206")
    assert (reply.status, reply.wait, reply.length) == (206, 1.0, 4)
    assert list(reply.body) == [b"*", 0.5, b"*", 0.5, b"*", 0.5, b"*", 0.5]


def test_drip_draws_unkeepable_pauses_together():
    parts = list(ask("/drip?numbytes=1000000&duration=1").body)
    assert sum(len(p) for p in parts if isinstance(p, bytes)) == 1_000_000
    assert sum(p for p in parts if isinstance(p, float)) == pytest.approx(1.0)
    assert len(parts) < 500


def test_drip_gives_ten_mebibytes_at_most():
    reply = ask("/drip?numbytes=99999999999&duration=0")
    assert reply.length == 10 * 1024 * 1024 == sum(map(len, reply.body))


def test_range_pauses_for_each_byte():
    reply = ask("/range/10?duration=5&chunk_size=4")
    assert pauses(reply) == [2.0, 2.0, 1.0]
    assert sent(ask("/range/10?duration=5&chunk_size=4")) == b"abcdefghij"


# chance is given ----------------------------------------------------------------------------------------------------


def test_the_same_chance_gives_the_same_answers():
    def drawn(seed):
        world = World(random=random.Random(seed))
        return [ask(t, world=world).body for t in ("/uuid", "/bytes/9", "/status/200,201,202,203")]

    assert drawn(1) == drawn(1) != drawn(2)


def test_weights_decide_how_often():
    world = World(random=random.Random(5))
    seen = [ask("/status/200:3,500:1", world=world).status for _ in range(400)]
    assert set(seen) == {200, 500}
    assert 250 < seen.count(200) < 350
    assert {ask("/status/200:0,500:1", world=world).status for _ in range(50)} == {500}


@pytest.mark.parametrize(
    "codes", ["200:-1,300:2", "200:0,300:0", "200:nan,300", "200:inf,300", "100", "199", "1000", "99", "0,200"]
)
def test_codes_and_weights_that_can_not_be_answered(codes):
    assert ask(f"/status/{codes}").status == 400


# own fields and bodies ----------------------------------------------------------------------------------------------


def test_response_headers_never_break_the_framing():
    reply = ask("/response-headers?Content-Length=3&Transfer-Encoding=chunked&X-A=1")
    assert json.loads(reply.body)["Content-Length"] == [str(len(reply.body)), "3"]
    assert {"content-length", "transfer-encoding"}.isdisjoint({n.lower() for n, _ in reply.fields})
    assert field(reply, "X-A") == "1"


@pytest.mark.parametrize("query", ["a%20b=1", "=1", "a=%0d%0ab", "%0aa=1", "a%3A=1"])
def test_response_headers_refuses_what_is_no_field(query):
    assert ask(f"/response-headers?{query}").status == 400


@pytest.mark.parametrize(
    "target", ["/cookies/set?a%3Bb=1", "/cookies/set?a%0ab=1", "/cookies/set?=1", "/cookies/delete?a%0db"]
)
def test_cookie_names_that_would_break_their_line(target):
    assert ask(target).status == 400


@pytest.mark.parametrize("target", ["/redirect-to", "/redirect-to?url=", "/redirect-to?url=a%0d%0ab", "/redirect/0"])
def test_redirections_without_a_usable_target(target):
    assert ask(target).status == 400


def test_brotli_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(inspection, "BROTLI_MODULES", ("no_such_module_anywhere",))
    reply = ask("/brotli")
    assert reply.status == 501
    assert b"brotli" in reply.body


def test_cookie_values_survive_both_ways():
    for value in ("plain", "a b", 'q"uo\\te', "semi;colon,", "é✓"):
        name, line = cookie.setting("n", value)
        assert name == "Set-Cookie"
        assert cookie.parse(line.removesuffix("; Path=/")) == {"n": value}


def test_a_deeply_nested_body_is_no_json():
    reply = ask("/post", "POST", body=b"[" * 100_000)
    assert json.loads(reply.body)["json"] is None


# statistics ---------------------------------------------------------------------------------------------------------


def test_stats_count_by_path_and_status_and_can_start_anew():
    world = World()
    for target in ("/get", "/get?a=1", "/nope", "/status/500"):
        ask(target, world=world)
    ask("/get", "POST", world=world)
    expected = {"/get": {"200": 2, "405": 1}, "/nope": {"404": 1}, "/status/500": {"500": 1}}
    assert json.loads(ask("/_mock/stats", world=world).body) == {"requests": 5, "paths": expected}
    assert ask("/_mock/stats", "DELETE", world=world).status == 204
    assert json.loads(ask("/_mock/stats", world=world).body) == {"requests": 0, "paths": {}}


def test_stats_stay_small_under_a_scan():
    tally = Tally()
    for number in range(PATHS_MAX + 5):
        tally.count(f"/{number}", 404)
    paths = tally.report()["paths"]
    assert len(paths) == PATHS_MAX + 1
    assert paths[OTHERS] == {"404": 5}


# pictures -----------------------------------------------------------------------------------------------------------


def test_png_holds_the_picture():
    data = images.png()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + chunk)
        packed += chunk if kind == b"IDAT" else b""
        at += 12 + size
    rows = zlib.decompress(packed)
    assert len(rows) == images.SIZE * (1 + 3 * images.SIZE)
    assert b"\xff\xe0\x60" in rows


def test_jpeg_segments_are_whole():
    data, at, marks = images.jpeg(), 2, []
    assert data[:2] == b"\xff\xd8"
    while data[at + 1] != 0xDA:
        marks.append(data[at + 1])
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    assert marks == [0xE0, 0xDB, 0xC0, 0xC4, 0xC4]
    assert data.endswith(b"\xff\xd9")
    scan = data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] : -2]
    assert all(scan[i + 1] == 0 for i, byte in enumerate(scan) if byte == 0xFF)


def test_webp_container_is_whole():
    data = images.webp()
    assert data[:4] + data[8:16] == b"RIFFWEBPVP8L"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert struct.unpack("<I", data[16:20])[0] == len(data) - 20
    width_height = struct.unpack("<I", data[21:25])[0]
    assert (width_height & 0x3FFF) + 1 == ((width_height >> 14) & 0x3FFF) + 1 == images.SIZE
