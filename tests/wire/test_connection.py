"""The reading half of a client connection."""

import pytest

from aimon_local.wire.limits import Limits

GET = b"GET /a?b=c HTTP/1.1\r\nHost: gw.test\r\n\r\n"


def answer(handler, moment):
    if moment == "last":
        handler.client.respond(200, [b"X-Body: %d" % len(handler.body)], b"ok")


def refuse(handler, moment):
    if moment == "head":
        handler.client.respond(401, [], b"no")


def want(handler, moment):
    if moment == "head":
        handler.client.want_body()
    answer(handler, moment)


def post(body: bytes, *fields: bytes) -> bytes:
    head = [b"POST /p HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(body), *fields, b"", b""]
    return b"\r\n".join(head) + body


def chunked(*chunks: bytes, version: bytes = b"1.1") -> bytes:
    return b"POST / HTTP/" + version + b"\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


class TestOneRequest:
    def test_a_get_is_told_once_and_answered_in_one_write(self, play):
        book = play(answer).feed(GET)
        head = book.last.head
        assert (head.method, head.target, head.host, head.http11) == (b"GET", b"/a?b=c", b"gw.test", True)
        assert book.last.ends == 1
        assert book.transport.writes == [
            b"HTTP/1.1 200 OK\r\nX-Body: 0\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
        ]

    @pytest.mark.parametrize("by", [1, 2, 3, 7, 40, 0])
    def test_pieces_do_not_matter(self, play, by):
        message = post(b"x" * 30) + chunked(b"5;a=b\r\nhello\r\n", b"1\r\n!\r\n", b"0\r\nX-T: 1\r\n\r\n") + GET
        book = play(answer).feed(message, by=by)
        assert [each.body for each in book.handlers] == [b"x" * 30, b"hello!", b""]
        assert book.statuses() == [200, 200, 200]
        assert all(each.ends == 1 and not each.gone for each in book.handlers)

    def test_peer_and_counts_are_known(self, play):
        book = play(answer).feed(GET).feed(GET)
        assert book.connection.peer == ("127.0.0.9", 40000)
        assert book.connection.local_port == 8000
        assert book.connection.requests == 2
        assert book.shared.counts.requests == 2

    def test_empty_lines_before_a_request_are_ignored(self, play):
        assert play(answer).feed(b"\r\n\r\n" + GET).statuses() == [200]
        assert play(answer).feed(b"\r\n\r\n" + GET, by=1).statuses() == [200]

    def test_a_flood_of_empty_lines_costs_no_more_than_other_bytes(self, play):
        assert play(answer).feed(b"\r\n" * 2_000_000 + GET).statuses() == [200]  # hours, one line at a time

    def test_a_chunked_body_may_follow_slowly(self, play):
        book = play(answer).feed(chunked()).feed(b"3\r\nab").feed(b"c\r\n0\r\n").feed(b"\r\n")
        assert book.last.body == b"abc"
        assert book.statuses() == [200]


class TestPipelining:
    def test_the_second_waits_for_the_first_answer(self, play):
        book = play().feed(GET + post(b"body"))
        assert len(book.handlers) == 1
        book.last.client.respond(200, [], b"1")
        assert len(book.handlers) == 2
        assert book.last.body == b"body"

    def test_reading_stops_behind_a_running_request(self, play):
        book = play(limits=Limits(pipeline_bytes=100)).feed(GET)
        book.feed(GET * 2)
        assert book.transport.reading
        book.feed(GET * 2)
        assert not book.transport.reading
        for _ in range(5):
            book.last.client.respond(200, [], b"")
        assert book.transport.reading
        assert book.statuses() == [200] * 5

    def test_a_client_that_reads_nothing_gets_no_further_answers(self, play):
        book = play(answer)
        book.connection.pause_writing()
        book.feed(GET * 3)
        assert not book.handlers
        assert not book.transport.reading
        book.connection.resume_writing()
        assert book.statuses() == [200] * 3

    def test_a_broken_second_request_is_refused_after_the_first(self, play):
        book = play(answer).feed(GET + b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n" + GET)
        assert book.statuses() == [200, 400]
        assert book.transport.half_closed


AMBIGUOUS = {
    "two lengths": post(b"hello", b"Content-Length: 6"),
    "two equal lengths": post(b"hello", b"Content-Length: 5"),
    "a list of lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
    "plus": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    "underscore": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5_0\r\n\r\n" + b"x" * 50,
    "hex": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
    "empty length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    "64 bit": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n",
    "length and chunked": post(b"0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "chunked in 1.0": chunked(b"0\r\n\r\n", version=b"1.0"),
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "one bare LF": b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "fold": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "fold of the first field": b"GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n",
    "blank in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX y: a\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nXY\r\n\r\n",
    "empty name": b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "vertical tab": b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nX: a\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "list of hosts": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "path in host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "user in host": b"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
    "bad port": b"GET / HTTP/1.1\r\nHost: h:80x\r\n\r\n",
    "fragment": b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
    "authority form": b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "other scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "user in target": b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "asterisk": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "0.9": b"GET /\r\n",
    "lower-case version": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "garbage": b"\x00\xff\xfe",
}
AMBIGUOUS_CHUNKS = {
    "hex prefix": (b"0x5\r\nhello\r\n0\r\n\r\n",),
    "sign": (b"+5\r\nhello\r\n0\r\n\r\n",),
    "underscore": (b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",),
    "empty size": (b"\r\nhello\r\n0\r\n\r\n",),
    "blank after the size": (b"5 \r\nhello\r\n0\r\n\r\n",),
    "LF": (b"5\nhello\n0\n\n",),
    "LF in an extension": (b"5;a\nb\r\nhello\r\n0\r\n\r\n",),
    "no terminator": (b"5\r\nhelloXX0\r\n\r\n",),
    "longer than said": (b"5\r\nhello!\r\n0\r\n\r\n",),
    "17 digits": (b"00000000000000005\r\nhello\r\n0\r\n\r\n",),
    "64 bit": (b"ffffffffffffffff\r\n",),
    "bad trailer": (b"0\r\nbad name: x\r\n\r\n",),
    "fold in a trailer": (b"0\r\nX: a\r\n b\r\n\r\n",),
}


class TestAmbiguity:
    @pytest.mark.parametrize("raw", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
    def test_an_ambiguous_head_is_refused_and_nothing_is_read_behind_it(self, play, raw):
        book = play(answer).feed(raw)
        assert book.statuses() == [400]
        assert b"Connection: close\r\n" in book.sent
        assert not book.handlers
        assert book.transport.half_closed
        book.feed(GET)
        assert book.statuses() == [400]

    @pytest.mark.parametrize("by", [0, 1])
    @pytest.mark.parametrize("raw", AMBIGUOUS_CHUNKS.values(), ids=AMBIGUOUS_CHUNKS.keys())
    def test_an_ambiguous_body_is_never_complete(self, play, raw, by):
        book = play(answer).feed(chunked(*raw), by=by)
        assert book.statuses() == [400]
        assert (book.last.ends, book.last.gone) == (0, 1)

    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
            (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ],
    )
    def test_what_we_do_not_speak_has_its_own_status(self, play, raw, status):
        book = play(answer).feed(raw)
        assert book.statuses() == [status]
        assert not book.handlers


class TestLegalOddities:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"GET http://h.test:81/a?b HTTP/1.1\r\nHost: other\r\n\r\n", {"host": b"h.test:81", "path": b"/a?b"}),
            (b"GET http://h.test HTTP/1.1\r\nHost: h.test\r\n\r\n", {"host": b"h.test", "path": b"/"}),
            (b"GET http://h.test?q HTTP/1.1\r\nHost: h.test\r\n\r\n", {"path": b"/?q"}),
            (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"path": b"*"}),
            (b"GET / HTTP/1.0\r\n\r\n", {"host": b"", "http11": False, "keep_alive": False}),
            (b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", {"keep_alive": True}),
            (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n", {"keep_alive": False}),
            (
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-A ,x-b\r\n\r\n",
                {"connection_tokens": (b"x-a", b"x-b"), "keep_alive": True},
            ),
            (
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
                {"upgrade": b"WebSocket"},
            ),
            (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", {"upgrade": None}),
            (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", {"upgrade": None}),
            (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", {"host": b"[::1]:80"}),
            (b"GET / HTTP/1.1\r\nHOST:a\r\nX:  \t v v \t\r\n\r\n", {"host": b"a"}),
            ("GET /ü HTTP/1.1\r\nHost: a\r\n\r\n".encode(), {"path": b"/%C3%BC"}),
            (b"M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", {"method": b"M-SEARCH"}),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\xe9\r\n\r\n", {"http11": True}),
        ],
    )
    def test_they_are_understood(self, play, raw, expected):
        book = play(answer).feed(raw)
        assert book.statuses() == [200]
        assert {name: getattr(book.last.head, name) for name in expected} == expected

    def test_values_are_trimmed_and_lines_are_made_anew(self, play):
        book = play(answer).feed(b"GET / HTTP/1.1\r\nHost: a\r\nX-A:   \t v v \t\r\n\r\n")
        assert book.last.head.fields[1] == (b"x-a", b"v v", b"X-A: v v")


class TestLimits:
    def test_a_long_target_is_414_complete_or_not(self, play):
        long = b"GET /" + b"a" * 9000
        assert play(answer).feed(long + b" HTTP/1.1\r\nHost: a\r\n\r\n").statuses() == [414]
        assert play(answer).feed(long).statuses() == [414]

    def test_a_request_line_of_8000_passes(self, play):
        line = b"GET /" + b"a" * (8000 - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"
        assert play(answer).feed(line + b"\r\nHost: a\r\n\r\n").statuses() == [200]

    def test_a_large_head_is_431_complete_or_not(self, play):
        large = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 33000
        assert play(answer).feed(large + b"\r\n\r\n").statuses() == [431]
        assert play(answer).feed(large).statuses() == [431]
        assert play(answer).feed(large, by=1000).statuses() == [431]

    def test_many_fields_are_431(self, play):
        fields = b"".join(b"X-%d: a\r\n" % each for each in range(99))
        assert play(answer).feed(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n").statuses() == [200]
        assert play(answer).feed(b"GET / HTTP/1.1\r\nHost: a\r\nY: b\r\n" + fields + b"\r\n").statuses() == [431]

    def test_a_large_body_is_413(self, play):
        limits = Limits(max_body=10)
        assert play(answer, limits).feed(post(b"x" * 10)).statuses() == [200]
        book = play(answer, limits).feed(post(b"x" * 11))
        assert book.statuses() == [413]
        assert not book.handlers
        book = play(answer, limits).feed(chunked(b"6\r\nabcdef\r\n" * 2))
        assert book.statuses() == [413]
        assert (book.last.ends, book.last.gone) == (0, 1)

    def test_chunk_lines_extensions_and_trailers_are_bounded(self, play):
        assert play(answer).feed(chunked(b"5;" + b"a" * 5000)).statuses() == [400]
        assert play(answer).feed(chunked(b"1;" + b"a" * 3000 + b"\r\nx\r\n") + b"").statuses() == []
        book = play(answer).feed(chunked(*[b"1;" + b"a" * 3000 + b"\r\nx\r\n"] * 30))
        assert book.statuses() == [400]
        assert play(answer).feed(chunked(b"0\r\nX: " + b"a" * 9000)).statuses() == [400]

    def test_far_too_many_are_closed_without_a_word(self, play):
        book = play(answer, Limits(connections=-100))
        assert book.sent == b""
        assert book.transport.aborted

    def test_too_many_connections_are_503(self, play):
        book = play(answer, Limits(connections=0))
        assert book.statuses() == [503]
        assert book.transport.half_closed


class TestTime:
    def test_a_slow_head_is_408_however_it_drips(self, play, time):
        book = play(answer)
        for byte in GET[:11]:
            book.feed(bytes([byte]))
            time.advance(0.95)
        assert book.statuses() == [408]
        assert not book.handlers

    def test_a_silent_connection_is_closed_without_a_word(self, play, time):
        book = play(answer)
        time.advance(11)
        assert book.transport.closed
        assert book.sent == b""

    def test_an_idle_connection_is_closed_after_its_time(self, play, time):
        book = play(answer).feed(GET)
        time.advance(59)
        assert not book.transport.closed
        time.advance(2)
        assert book.transport.closed
        assert book.statuses() == [200]

    def test_a_running_request_has_no_deadline_of_the_client(self, play, time):
        book = play().feed(GET)
        time.advance(3600)
        assert not book.transport.closed
        book.last.client.respond(200, [], b"")
        assert book.statuses() == [200]

    def test_a_stalled_body_is_408_and_the_handler_hears_of_it(self, play, time):
        book = play().feed(post(b"x" * 10)[:-3])
        time.advance(61)
        assert book.statuses() == [408]
        assert (book.last.ends, book.last.gone) == (0, 1)

    def test_a_body_that_drips_goes_on(self, play, time):
        book = play(answer).feed(post(b"")[:-4].replace(b"0", b"5") + b"\r\n\r\n")
        for _ in range(5):
            time.advance(50)
            book.feed(b"x")
        assert book.statuses() == [200]

    def test_a_paused_body_has_no_deadline(self, play, time):
        book = play().feed(post(b"x" * 10)[:-3])
        book.last.client.pause()
        assert not book.transport.reading
        time.advance(1000)
        assert not book.transport.closed
        book.last.client.resume()
        time.advance(61)
        assert book.statuses() == [408]

    def test_a_reader_that_takes_nothing_is_cut_one_that_takes_little_is_not(self, play, time):
        book = play().feed(GET)
        book.last.client.start(200, [], None, b"x")
        book.transport.unsent = 90000
        book.connection.pause_writing()
        book.transport.unsent = 80000
        time.advance(61)
        assert not book.transport.closed
        time.advance(61)
        assert book.transport.aborted
        assert book.last.gone == 1

    def test_lingering_ends_in_time_and_size(self, play, time):
        book = play(refuse).feed(b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n")
        assert book.transport.half_closed
        time.advance(1.1)
        assert book.transport.closed
        book = play(answer, Limits(linger_bytes=100)).feed(b"BAD\r\n\r\n")
        book.feed(b"x" * 101)
        assert book.transport.aborted


class TestExpect:
    HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

    def test_continue_is_sent_when_the_body_is_wanted(self, play):
        book = play().feed(self.HEAD)
        assert book.sent == b""
        book.last.client.want_body()
        book.last.client.want_body()
        assert book.sent == b"HTTP/1.1 100 Continue\r\n\r\n"

    def test_a_refusal_comes_instead_and_closes(self, play):
        book = play(refuse).feed(self.HEAD)
        assert book.statuses() == [401]
        assert b"Connection: close" in book.sent
        assert book.transport.half_closed

    def test_no_continue_once_the_body_is_there_or_to_1_0(self, play):
        assert play(want).feed(self.HEAD + b"hello").statuses() == [200]
        assert play(want).feed(self.HEAD.replace(b"1.1", b"1.0")).sent == b""

    def test_the_answer_to_a_whole_body_keeps_the_connection(self, play):
        book = play(want).feed(self.HEAD)
        book.feed(b"hello")
        assert book.statuses() == [100, 200]
        book.feed(GET)
        assert book.statuses() == [100, 200, 200]


class TestUnreadBody:
    def test_a_refusal_before_the_body_reads_it_away_and_goes_on(self, play):
        head, body = post(b"GET / HTTP/1.1\r\n\r\n" * 5).split(b"\r\n\r\n", 1)
        book = play(refuse).feed(head + b"\r\n\r\n")
        assert book.statuses() == [401]
        assert b"keep-alive" in book.sent
        book.feed(body, by=7)
        assert len(book.handlers) == 1
        book.feed(GET)
        assert book.statuses() == [401, 401]

    def test_a_body_too_large_to_read_away_closes(self, play):
        book = play(refuse).feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\nabc")
        assert b"Connection: close" in book.sent
        assert book.transport.half_closed

    def test_a_chunked_body_unread_closes(self, play):
        book = play(refuse).feed(chunked(b"5\r\nhello\r\n"))
        assert b"Connection: close" in book.sent


class TestEnds:
    def test_a_half_close_after_a_whole_request_is_answered(self, play):
        book = play().feed(GET)
        assert book.connection.eof_received() is True
        book.last.client.respond(200, [], b"ok")
        assert book.statuses() == [200]
        assert b"Connection: close" in book.sent
        assert book.transport.closed
        assert not book.transport.aborted

    @pytest.mark.parametrize("raw", [post(b"hello")[:-1], chunked(b"5\r\nhello\r\n"), chunked(b"5\r\nhel")])
    def test_a_half_close_within_a_body_completes_nothing(self, play, raw):
        book = play().feed(raw)
        book.connection.eof_received()
        assert (book.last.ends, book.last.gone) == (0, 1)
        assert book.transport.aborted

    def test_a_lost_client_is_told_once(self, play):
        book = play().feed(GET)
        book.connection.connection_lost(None)
        assert book.last.gone == 1
        book.last.client.respond(200, [], b"late")
        assert book.sent == b""
        assert not book.shared.connections

    def test_after_the_answer_nothing_is_told(self, play):
        book = play(answer).feed(GET)
        book.connection.connection_lost(None)
        assert book.last.gone == 0

    def test_close_is_honoured(self, play):
        book = play(answer).feed(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"Connection: close" in book.sent
        assert book.transport.closed

    def test_the_handler_can_close_after_its_answer(self, play):
        def script(handler, moment):
            handler.client.close_after()
            answer(handler, moment)

        book = play(script).feed(GET)
        assert b"Connection: close" in book.sent
        assert book.transport.half_closed

    def test_a_failing_handler_is_a_500_and_is_logged(self, play, caplog):
        def script(handler, moment):
            raise ZeroDivisionError

        book = play(script).feed(GET)
        assert book.statuses() == [500]
        assert book.last.gone == 1
        assert len(caplog.records) == 1

    def test_a_drain_closes_idle_connections_and_lets_others_answer(self, play):
        idle = play(answer).feed(GET)
        idle.connection.drain(1)
        assert idle.transport.closed
        busy = play().feed(GET)
        busy.shared.draining = True
        busy.connection.drain(1)
        assert not busy.transport.closed
        busy.last.client.respond(200, [], b"")
        assert b"Connection: close" in busy.sent


class TestTunnel:
    UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    def test_bytes_pass_unframed_both_ways_and_each_side_ends_alone(self, play):
        book = play().feed(self.UPGRADE)
        handler = book.last
        handler.ends = 0
        handler.client.start(101, [b"Upgrade: websocket"], None, b"hi")
        assert book.sent.endswith(b"Connection: upgrade\r\n\r\nhi")
        book.feed(GET)
        assert handler.body == GET
        handler.client.write(b"5\r\n")
        assert book.sent.endswith(b"hi5\r\n")
        assert book.connection.eof_received() is True
        assert handler.ends == 1
        assert not book.transport.closed
        handler.client.end()
        assert book.transport.closed
        assert not book.transport.aborted

    def test_bytes_sent_before_the_switch_are_not_lost(self, play):
        book = play().feed(self.UPGRADE + b"early")
        book.last.ends = 0
        book.last.client.start(101, [], None)
        assert book.last.body == b"early"

    def test_the_upstream_may_end_first(self, play):
        book = play().feed(self.UPGRADE)
        book.last.ends = 0
        book.last.client.start(101, [], None)
        book.last.client.end()
        assert book.transport.half_closed
        book.feed(b"more")
        assert book.last.body == b"more"


class TestFlow:
    def test_a_full_send_buffer_is_told(self, play):
        book = play().feed(GET)
        book.last.client.start(200, [], None, b"x")
        book.connection.pause_writing()
        book.connection.resume_writing()
        assert book.last.writable == [False, True]
