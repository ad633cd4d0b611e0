"""The writing half of a client connection: framing of answers."""

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def head_and_body(sent: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = sent.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[1:], body


class TestWhole:
    @pytest.mark.parametrize("status", [204, 304])
    def test_statuses_without_a_body(self, play, status):
        book = play().feed(GET)
        book.last.client.respond(status, [], b"never")
        assert head_and_body(book.sent) == ([b"Connection: keep-alive"], b"")

    def test_head_declares_what_get_would_have_sent(self, play):
        book = play().feed(GET.replace(b"GET", b"HEAD"))
        book.last.client.respond(200, [], b"12345")
        assert head_and_body(book.sent) == ([b"Content-Length: 5", b"Connection: keep-alive"], b"")
        book.feed(GET.replace(b"GET", b"HEAD"))
        book.last.client.respond(200, [], b"", length=77)
        assert b"Content-Length: 77" in book.sent

    def test_the_reason_is_the_usual_one_or_the_given(self, play):
        book = play().feed(GET * 3)
        book.last.client.respond(404, [], b"", reason=b"Gone Fishing")
        book.last.client.respond(404, [], b"")
        book.last.client.respond(599, [], b"")
        assert [line for line in book.sent.split(b"\r\n") if b"HTTP/1.1" in line] == [
            b"HTTP/1.1 404 Gone Fishing", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 599 "
        ]  # fmt: skip

    @pytest.mark.parametrize("line", [b"X: a\r\nSet-Cookie: evil", b"X: a\nY: b", b"X: a\r", b"\r\nbody"])
    def test_a_line_break_in_a_field_goes_nowhere(self, play, line):
        book = play().feed(GET)
        with pytest.raises(ValueError, match="line break"):
            book.last.client.respond(200, [b"A: b", line], b"")
        with pytest.raises(ValueError, match="line break"):
            book.last.client.respond(200, [], b"", reason=line)
        assert book.sent == b""
        book.last.client.respond(200, [], b"")
        assert book.statuses() == [200]

    def test_a_second_answer_is_a_fault(self, play):
        book = play().feed(GET)
        book.last.client.start(200, [], None)
        with pytest.raises(RuntimeError):
            book.last.client.respond(200, [], b"")

    def test_1_0_gets_its_length_and_the_close(self, play):
        book = play().feed(b"GET / HTTP/1.0\r\n\r\n")
        book.last.client.respond(200, [], b"ok")
        assert head_and_body(book.sent) == ([b"Content-Length: 2", b"Connection: close"], b"ok")
        assert book.transport.closed


class TestStreamed:
    def test_chunks(self, play):
        book = play().feed(GET)
        client = book.last.client
        client.start(200, [b"A: b"], None, b"one")
        client.write(b"")
        client.write(b"two")
        client.end(b"!", [(b"t", b"v", b"T: v")])
        assert head_and_body(book.sent) == (
            [b"A: b", b"Transfer-Encoding: chunked", b"Connection: keep-alive"],
            b"3\r\none\r\n3\r\ntwo\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n",
        )
        assert len(book.transport.writes) == 3
        assert not book.transport.closed

    def test_a_declared_length(self, play):
        book = play().feed(GET)
        book.last.client.start(200, [], 5, b"he")
        book.last.client.write(b"llo")
        book.last.client.end()
        assert head_and_body(book.sent) == ([b"Content-Length: 5", b"Connection: keep-alive"], b"hello")

    @pytest.mark.parametrize("data", [b"hell", b""])
    def test_a_declared_length_that_is_not_reached_is_a_cut(self, play, data):
        book = play().feed(GET)
        book.last.client.start(200, [], 5)
        book.last.client.end(data)
        assert book.transport.closed

    def test_more_than_declared_is_a_fault(self, play):
        book = play().feed(GET)
        book.last.client.start(200, [], 2)
        with pytest.raises(RuntimeError):
            book.last.client.write(b"hello")

    def test_1_0_ends_with_the_connection(self, play):
        book = play().feed(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        book.last.client.start(200, [], None, b"a")
        book.last.client.end(b"b")
        assert head_and_body(book.sent) == ([b"Connection: close"], b"ab")
        assert book.transport.half_closed or book.transport.closed

    @pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
    def test_nothing_follows_a_head_without_a_body(self, play, method, status):
        book = play().feed(GET.replace(b"GET", method))
        book.last.client.start(status, [], None, b"x")
        book.last.client.write(b"y")
        book.last.client.end(b"z")
        assert head_and_body(book.sent) == ([b"Connection: keep-alive"], b"")
        book.feed(GET)
        assert len(book.handlers) == 2


class TestCut:
    def test_a_framed_answer_is_closed_without_its_end(self, play):
        book = play().feed(GET)
        book.last.client.start(200, [], None, b"part")
        book.last.client.abort()
        assert book.transport.closed
        assert not book.sent.endswith(b"0\r\n\r\n")
        assert book.last.gone == 0

    def test_an_unframed_answer_is_reset(self, play):
        book = play().feed(b"GET / HTTP/1.0\r\n\r\n")
        book.last.client.start(200, [], None, b"part")
        book.last.client.abort()
        assert book.transport.aborted

    def test_no_answer_is_a_reset(self, play):
        book = play().feed(GET)
        book.last.client.abort()
        assert book.transport.aborted
        assert book.sent == b""


class TestInterim:
    def test_it_comes_before_the_answer_and_not_to_1_0(self, play):
        book = play().feed(GET)
        book.last.client.informational(103, [b"Link: x"])
        book.last.client.respond(200, [], b"")
        assert book.sent.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n")
        book = play().feed(b"GET / HTTP/1.0\r\n\r\n")
        book.last.client.informational(103, [b"Link: x"])
        assert book.sent == b""

    def test_not_after_the_answer_began(self, play):
        book = play().feed(GET)
        book.last.client.start(200, [], None)
        book.last.client.informational(103, [])
        assert b"103" not in book.sent
