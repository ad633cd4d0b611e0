"""A connection to an upstream, and the exchange on it, by playbooks."""

import pytest

from aimon_local.wire.message import FailureKind, Timeouts

OK = b"HTTP/1.1 200 OK\r\nServer: u\r\nContent-Length: 5\r\n\r\nhello"


class TestRequests:
    def test_a_get_has_no_length_and_is_one_write(self, upstream):
        upstream.send()
        assert upstream.transport.writes == [b"GET / HTTP/1.1\r\nHost: u\r\n\r\n"]

    @pytest.mark.parametrize(
        ("method", "body", "declared", "framing"),
        [
            (b"POST", b"", 0, b"Content-Length: 0\r\n\r\n"),
            (b"POST", b"", None, b"\r\n"),
            (b"POST", b"ab", None, b"Content-Length: 2\r\n\r\nab"),
            (b"GET", b"ab", 2, b"Content-Length: 2\r\n\r\nab"),
        ],
    )
    def test_a_body_goes_with_its_head_and_length(self, upstream, method, body, declared, framing):
        upstream.send(method, body, content_length=declared)
        assert upstream.transport.writes == [method + b" / HTTP/1.1\r\nHost: u\r\n" + framing]

    def test_a_body_streams_in_chunks_or_with_its_length(self, upstream):
        exchange, _ = upstream.send(b"POST", None)
        exchange.write(b"hello")
        exchange.end()
        assert upstream.transport.sent.endswith(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        upstream.feed(OK)
        exchange, _ = upstream.send(b"POST", None, content_length=5)
        exchange.write(b"hello")
        exchange.end()
        assert upstream.transport.sent.endswith(b"Content-Length: 5\r\n\r\nhello")

    def test_a_declared_length_is_kept(self, upstream):
        exchange, _ = upstream.send(b"POST", None, content_length=3)
        with pytest.raises(RuntimeError):
            exchange.write(b"hello")


class TestAnswers:
    @pytest.mark.parametrize("by", [0, 1, 3])
    @pytest.mark.parametrize(
        "raw",
        [
            OK,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: v\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
        ],
    )
    def test_it_is_told_whole_and_the_connection_kept(self, upstream, raw, by):
        _, events = upstream.send()
        upstream.feed(raw, by=by)
        assert (events.head.status, events.body, events.ends) == (200, b"hello", 1)
        assert upstream.idle == 1
        assert not upstream.transport.closed

    def test_hop_by_hop_and_framing_fields_are_taken_out(self, upstream):
        _, events = upstream.send()
        upstream.feed(
            b"HTTP/1.1 200 Fine\r\nConnection: X-A, close\r\nX-A: 1\r\nKeep-Alive: 5\r\nX-B: 2\r\nUpgrade: h2c\r\n"
            b"Trailer: T\r\nProxy-Connection: x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"
        )
        assert [each[2] for each in events.head.fields] == [b"X-B: 2", b"Set-Cookie: a", b"Set-Cookie: b"]
        assert (events.head.reason, events.head.content_length, events.head.has_body) == (b"Fine", 0, False)
        assert upstream.transport.closed

    @pytest.mark.parametrize(
        ("method", "raw"),
        [
            (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
            (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
            (b"GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
            (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        ],
    )
    def test_answers_without_a_body_end_with_their_head(self, upstream, method, raw):
        _, events = upstream.send(method)
        upstream.feed(raw)
        assert (events.ends, events.body, events.head.has_body) == (1, b"", False)
        assert upstream.idle == 1
        if b"204" in raw:
            assert events.head.content_length is None

    @pytest.mark.parametrize("version", [b"1.0", b"1.1"])
    def test_a_body_without_framing_ends_with_the_connection(self, upstream, version):
        _, events = upstream.send()
        upstream.feed(b"HTTP/" + version + b" 200 OK\r\n\r\nhel").feed(b"lo")
        assert not events.ends
        upstream.connection.eof_received()
        assert (events.body, events.ends) == (b"hello", 1)
        assert upstream.idle == 0

    def test_1_0_is_not_kept(self, upstream):
        _, events = upstream.send()
        upstream.feed(OK.replace(b"1.1", b"1.0"))
        assert events.ends == 1
        assert upstream.transport.closed

    def test_who_gives_up_at_the_head_hears_of_nothing_that_came_with_it(self, upstream):
        exchange, events = upstream.send(accept_trailers=True)
        events.on_head = lambda head, data, last: exchange.cancel()
        upstream.feed(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n\r\n")
        assert (events.trailers, events.body, events.ends, upstream.idle) == ([], b"", 0, 1)

    def test_trailers_are_told_only_who_takes_them(self, upstream):
        raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n\r\n"
        _, events = upstream.send()
        upstream.feed(raw)
        assert (events.trailers, events.ends) == ([], 1)
        _, events = upstream.send(accept_trailers=True)
        upstream.feed(raw)
        assert (events.trailers, events.ends, events.body) == ([(b"t", b"v", b"T: v")], 1, b"x")

    def test_each_event_passes_at_once(self, upstream):
        _, events = upstream.send()
        upstream.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert events.head is not None
        for number in range(3):
            upstream.feed(b"1\r\n%d\r\n" % number)
            assert events.pieces[-1] == b"%d" % number


BROKEN = {
    "not http": b"SSH-2.0-x\r\n\r\n",
    "0.9": b"hello",
    "2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "gzip coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "fold": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "blank in a name": b"HTTP/1.1 200 OK\r\nX y: a\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n",
    "short status": b"HTTP/1.1 20 OK\r\n\r\n",
    "101 unasked": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "endless interim": b"HTTP/1.1 103 Early\r\n\r\n" * 17,
    "large head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000,
    "large whole head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 201 + b"\r\n",
}


class TestBrokenAnswers:
    @pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
    def test_it_is_a_bad_answer_and_the_connection_is_gone(self, upstream, raw):
        _, events = upstream.send()
        upstream.feed(raw)
        assert [each.kind for each in events.failures] == [FailureKind.BAD_ANSWER]
        assert events.head is None
        assert upstream.transport.closed
        assert upstream.idle == 0

    @pytest.mark.parametrize(
        "raw",
        [OK[:-2], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
        ids=["length", "chunks"],
    )
    def test_a_short_answer_is_cut(self, upstream, raw):
        _, events = upstream.send()
        upstream.feed(raw)
        upstream.connection.eof_received()
        assert [each.kind for each in events.failures] == [FailureKind.CUT]
        assert not events.ends

    def test_a_bad_chunk_is_a_cut(self, upstream):
        _, events = upstream.send()
        upstream.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").feed(b"zz\r\n")
        assert [each.kind for each in events.failures] == [FailureKind.CUT]

    def test_a_reset_cuts_an_unframed_body(self, upstream):
        _, events = upstream.send()
        upstream.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
        upstream.connection.connection_lost(ConnectionResetError())
        assert [each.kind for each in events.failures] == [FailureKind.CUT]

    def test_no_answer_is_a_reset(self, upstream):
        _, events = upstream.send(b"POST", b"x")
        upstream.connection.eof_received()
        assert events.failures[0].kind is FailureKind.RESET
        assert (events.failures[0].reused, events.failures[0].sent) == (False, True)


class TestReuse:
    @pytest.mark.parametrize("raw", [OK + b"x", OK + OK, b"HTTP/1.1 204 No\r\n\r\nx"])
    def test_surplus_bytes_reach_nobody(self, upstream, raw):
        _, events = upstream.send()
        upstream.feed(raw)
        assert events.ends == 1
        assert upstream.transport.closed
        assert upstream.idle == 0

    def test_bytes_while_idle_close(self, upstream):
        upstream.send()
        upstream.feed(OK)
        assert upstream.idle == 1
        upstream.feed(OK)
        assert upstream.transport.closed
        upstream.connection.connection_lost(None)
        assert upstream.idle == 0

    def test_an_early_answer_stops_the_upload_and_is_not_kept(self, upstream):
        exchange, events = upstream.send(b"POST", None)
        exchange.write(b"x" * 10)
        upstream.feed(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
        assert (events.head.status, events.ends) == (413, 1)
        assert upstream.transport.closed
        exchange.write(b"more")
        exchange.end()
        assert upstream.transport.sent.endswith(b"x\r\n")

    def test_a_moved_request_is_sent_once_on_a_fresh_connection(self, upstream):
        upstream.send()
        upstream.feed(OK)
        _, events = upstream.send(b"GET")
        upstream.connection.eof_received()
        assert upstream.loop.opened == 1
        assert not events.failures

    @pytest.mark.parametrize(
        ("method", "body"), [(b"POST", b"x"), (b"PATCH", b"x"), (b"PUT", None), (b"PUT", b"x"), (b"DELETE", b"")]
    )
    def test_what_may_have_been_processed_is_not_sent_again(self, upstream, method, body):
        upstream.send()
        upstream.feed(OK)
        _, events = upstream.send(method, body)
        upstream.connection.eof_received()
        assert upstream.loop.opened == 0
        assert (events.failures[0].kind, events.failures[0].reused) == (FailureKind.RESET, True)

    def test_a_post_whose_write_failed_at_once_was_not_sent(self, upstream):
        upstream.send()
        upstream.feed(OK)
        upstream.transport.closed = True
        exchange, events = upstream.send(b"POST", b"x")
        assert not exchange.sent
        upstream.connection.connection_lost(BrokenPipeError())
        assert upstream.loop.opened == 1
        assert not events.failures

    def test_part_of_an_answer_forbids_moving(self, upstream):
        upstream.send()
        upstream.feed(OK)
        _, events = upstream.send(b"GET")
        upstream.feed(b"HTTP/1.1 2")
        upstream.connection.eof_received()
        assert [each.kind for each in events.failures] == [FailureKind.RESET]
        assert upstream.loop.opened == 0

    def test_cancel_closes_and_nothing_follows(self, upstream):
        exchange, events = upstream.send()
        upstream.feed(OK[:-1])
        exchange.cancel()
        assert upstream.transport.aborted
        upstream.connection.data_received(b"o")
        upstream.connection.connection_lost(None)
        assert (events.ends, events.failures) == (0, [])

    def test_a_finished_exchange_has_no_hold_on_the_next(self, upstream):
        first, _ = upstream.send()
        upstream.feed(OK)
        _, events = upstream.send()
        first.cancel()
        first.pause()
        first.write(b"x")
        upstream.feed(OK)
        assert events.ends == 1


class TestTime:
    def test_a_silent_upstream_times_out(self, upstream, time):
        _, events = upstream.send(timeouts=Timeouts(read=0.1))
        time.advance(0.2)
        assert [each.kind for each in events.failures] == [FailureKind.READ_TIMEOUT]
        assert upstream.transport.aborted

    def test_the_read_time_is_between_two_reads(self, upstream, time):
        _, events = upstream.send(timeouts=Timeouts(read=10))
        time.advance(9)
        upstream.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            time.advance(9)
            upstream.feed(b"1\r\nx\r\n")
        assert not events.failures
        time.advance(11)
        assert [each.kind for each in events.failures] == [FailureKind.READ_TIMEOUT]

    def test_an_upload_counts_as_work_a_stalled_one_times_out(self, upstream, time):
        _, events = upstream.send(b"POST", None, timeouts=Timeouts(read=1, write=5))
        time.advance(100)
        assert not events.failures
        upstream.connection.pause_writing()
        assert events.writable == [False]
        time.advance(6)
        assert [each.kind for each in events.failures] == [FailureKind.WRITE_TIMEOUT]

    def test_the_read_time_begins_when_the_upload_is_out(self, upstream, time):
        exchange, events = upstream.send(b"POST", None, timeouts=Timeouts(read=1))
        time.advance(100)
        exchange.end()
        time.advance(2)
        assert [each.kind for each in events.failures] == [FailureKind.READ_TIMEOUT]

    def test_a_paused_answer_has_no_deadline(self, upstream, time):
        exchange, events = upstream.send(timeouts=Timeouts(read=1))
        upstream.feed(OK[:-2])
        exchange.pause()
        assert not upstream.transport.reading
        time.advance(100)
        exchange.resume()
        assert upstream.transport.reading
        upstream.feed(OK[-2:])
        assert events.ends == 1

    def test_an_idle_connection_grows_old(self, upstream, time):
        upstream.send()
        upstream.feed(OK)
        time.advance(61)
        assert upstream.transport.closed


class TestTunnel:
    def test_it_passes_bytes_and_half_closes(self, upstream):
        exchange, events = upstream.send(upgrade=True)
        upstream.feed(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhi")
        assert (events.head.status, events.body) == (101, b"hi")
        assert (b"upgrade", b"websocket", b"Upgrade: websocket") in events.head.fields
        exchange.write(b"5\r\n")
        assert upstream.transport.sent.endswith(b"5\r\n")
        exchange.end()
        assert upstream.transport.half_closed
        upstream.feed(b"HTTP/1.1 200 OK\r\n\r\n")
        assert events.body == b"hiHTTP/1.1 200 OK\r\n\r\n"
        upstream.connection.eof_received()
        assert events.ends == 1

    def test_a_refused_upgrade_is_plain_http(self, upstream):
        _, events = upstream.send(upgrade=True)
        upstream.feed(OK)
        assert (events.head.status, events.ends) == (200, 1)
        assert upstream.idle == 1


def test_a_failing_user_hears_of_a_failure_and_is_logged(upstream, caplog):
    _, events = upstream.send()
    events.on_head = lambda *rest: 1 / 0
    upstream.feed(OK[:-1])
    assert [each.kind for each in events.failures] == [FailureKind.CUT]
    assert len(caplog.records) == 1


def test_a_user_that_fails_on_the_last_bytes_is_told_too(upstream, caplog):
    _, events = upstream.send()
    events.on_head = lambda *rest: 1 / 0
    upstream.feed(OK)
    assert [each.kind for each in events.failures] == [FailureKind.CUT]
    assert len(caplog.records) == 1
