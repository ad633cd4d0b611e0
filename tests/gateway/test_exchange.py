"""One request's way through the phases: conversations as data, without sockets."""

import json

import pytest

from aimon_local.errors import StoreFull
from aimon_local.gateway import refusals
from aimon_local.policy.plan import make_plan
from aimon_local.policy.rule import Rule
from aimon_local.wire.message import FailureKind
from tests.support.calls import counters
from tests.support.stage import BUFFER, FILTER, GATHER, Stage, make_answer, make_failure

SENT = ("send", "/base/x", b"", None)


def message(stage):
    """The message of our own answer, which was the last thing said."""
    return json.loads(stage.said[-1][2])["message"]


# ---- the plain way


def test_a_whole_answer_waits_for_its_row():
    stage = Stage()
    stage.ledger.held = True
    exchange = stage.ask()
    exchange.on_body(b"", True)
    exchange.on_head(make_answer(200, 2), b"ok", True)
    assert stage.take() == [SENT, ("row", 200, True)]
    stage.ledger.commit()
    assert stage.take() == [("respond", 200, b"ok")]


def test_a_stream_passes_at_once_and_only_its_end_waits():
    stage = Stage()
    stage.ledger.held = True
    exchange = stage.ask()
    exchange.on_head(make_answer(), b"", False)
    assert stage.take() == [SENT, ("start", 200, None, b"")]
    exchange.on_data(b"one", False)
    assert stage.take() == [("write", b"one")]
    exchange.on_data(b"two", True)
    assert stage.take() == [("row", 200, True)]
    stage.ledger.commit()
    assert stage.take() == [("end", b"two")]
    assert stage.ledger.rows[0].bytes_out == 6


def test_interim_answers_pass_but_100():
    stage = Stage()
    exchange = stage.ask()
    exchange.on_informational(100, [])
    exchange.on_informational(103, [])
    exchange.on_head(make_answer(204, has_body=False), b"", True)
    exchange.on_informational(103, [])
    assert stage.take() == [SENT, ("interim", 103), ("row", 204, True), ("respond", 204, b"")]


def test_each_side_holds_the_other():
    stage = Stage()
    exchange = stage.ask()
    exchange.on_client_writable(False)
    exchange.on_client_writable(True)
    exchange.on_writable(False)
    exchange.on_writable(True)
    assert stage.take() == [SENT, ("up pause",), ("up resume",), ("pause",), ("resume",)]


def test_trailers_reach_a_client_that_takes_them():
    for te, expected in ((), []), ([("TE", "trailers")], [b"x-sum"]):
        stage = Stage()
        exchange = stage.ask(fields=te)
        exchange.on_head(make_answer(), b"a", False)
        exchange.on_trailers([(b"x-sum", b"1", b"X-Sum: 1")])
        exchange.on_data(b"", True)
        word, data, *trailers = stage.take()[-1]
        assert (word, data, [name for name, _, _ in trailers]) == ("end", b"", expected)


# ---- the client's body


def test_a_small_body_is_gathered_and_sent_with_its_length():
    stage = Stage()
    exchange = stage.ask("POST", length=6)
    exchange.on_body(b"abc", False)
    assert stage.take() == [("want",)]
    exchange.on_body(b"def", True)
    assert stage.take() == [("send", "/base/x", b"abcdef", 0)]


def test_a_small_chunked_body_gets_a_length():
    stage = Stage()
    exchange = stage.ask("POST", chunked=True)
    exchange.on_body(b"abc", False)
    exchange.on_body(b"", True)
    assert stage.take() == [("want",), ("send", "/base/x", b"abc", 0)]


def test_a_body_of_no_bytes_keeps_the_length_that_it_came_with():
    stage = Stage()
    stage.ask("POST", length=0).on_body(b"", True)
    stage.ask("POST").on_body(b"", True)
    assert stage.take() == [("send", "/base/x", b"", 0), ("send", "/base/x", b"", None)]


def test_a_large_body_streams():
    stage = Stage()
    exchange = stage.ask("POST", length=BUFFER + 1)
    assert stage.take() == [("send", "/base/x", None, BUFFER + 1), ("want",)]
    exchange.on_body(b"a" * BUFFER, False)
    exchange.on_body(b"b", True)
    assert stage.take() == [("up", b"a" * BUFFER), ("up", b"b"), ("up end",)]


def test_a_chunked_body_that_outgrows_the_buffer_spills():
    stage = Stage()
    exchange = stage.ask("POST", chunked=True)
    exchange.on_body(b"a" * BUFFER, False)
    assert stage.take() == [("want",)]
    exchange.on_body(b"b", False)
    assert stage.take() == [("send", "/base/x", None, None), ("want",), ("up", b"a" * BUFFER + b"b")]
    exchange.on_body(b"", True)
    assert stage.take() == [("up end",)]
    assert stage.ledger.rows == []


def test_without_request_buffering_even_a_small_body_streams():
    stage = Stage(route={"request_buffering": False})
    exchange = stage.ask("POST", length=2)
    exchange.on_body(b"ab", True)
    assert stage.take() == [("send", "/base/x", None, 2), ("want",), ("up", b"ab"), ("up end",)]


def test_an_answer_may_come_before_the_body_has_gone():
    stage = Stage()
    exchange = stage.ask("POST", length=BUFFER * 9)
    exchange.on_body(b"a", False)
    stage.take()
    exchange.on_head(make_answer(413, 4), b"much", True)
    assert stage.take() == [("row", 413, True), ("respond", 413, b"much")]


# ---- rules that need a body, or bound it

EDIT = ("request-transformer", {"add": {"body": ["b:2"]}})
FORM = [("Content-Type", "application/x-www-form-urlencoded")]


def test_a_rule_sees_the_whole_body_first():
    stage = Stage(EDIT)
    exchange = stage.ask("POST", fields=FORM, length=3)
    assert stage.take() == [("want",)]
    exchange.on_body(b"a=", False)
    exchange.on_body(b"1", True)
    assert stage.take() == [("send", "/base/x", b"a=1&b=2", 0)]


def test_a_rule_may_not_make_us_keep_everything():
    stage = Stage(EDIT)
    exchange = stage.ask("POST", fields=FORM, chunked=True)
    exchange.on_body(b"a" * GATHER, False)
    assert stage.take() == [("want",)]
    exchange.on_body(b"b", False)
    assert [each[:2] for each in stage.said] == [("row", 413), ("respond", 413)]
    assert message(stage) == refusals.TOO_LARGE.message
    stage.take()
    exchange.on_body(b"c", True)
    assert stage.take() == []
    assert [(row.decision, row.deny_reason) for row in stage.ledger.rows] == [("deny", "body_too_large")]


SMALL = ("request-size-limiting", {"allowed_payload_size": BUFFER * 2, "size_unit": "bytes"})


def test_a_body_that_outgrows_its_bound_is_refused_while_it_uploads():
    stage = Stage(SMALL)
    exchange = stage.ask("POST", chunked=True)
    exchange.on_body(b"a" * BUFFER * 2, False)
    assert [each[0] for each in stage.take()] == ["want", "send", "want", "up"]
    exchange.on_body(b"b", False)
    assert [each[:2] for each in stage.take()] == [("up cancel",), ("row", 413), ("respond", 413)]
    exchange.on_body(b"c" * 999, True)
    exchange.on_gone()
    assert stage.take() == []


def test_a_body_whose_length_says_too_much_is_refused_before_it_comes():
    stage = Stage(SMALL)
    stage.ask("POST", length=BUFFER * 2 + 1)
    assert [each[:2] for each in stage.take()] == [("row", 413), ("respond", 413)]


# ---- refusals


def test_nothing_is_sent_for_a_call_that_is_refused():
    stage = Stage(("key-auth", {}))
    stage.ask("POST", length=5, expect_continue=True)
    assert [each[:2] for each in stage.said] == [("row", 401), ("respond", 401)]
    assert message(stage) == "No API key found in request"


def test_a_limit_is_checked_and_counted_in_one_step():
    stage = Stage(("rate-limiting", {"year": 2, "policy": "local"}))
    exchanges = [stage.ask() for _ in range(4)]  # none has an answer yet
    assert [each[:2] for each in stage.take() if each[0] != "row"] == [
        ("send", "/base/x"), ("send", "/base/x"), ("respond", 429), ("respond", 429),
    ]  # fmt: skip
    for exchange in reversed(exchanges[:2]):
        exchange.on_head(make_answer(200, 0, has_body=False), b"", True)
    assert [[change.value for change in counters(touched)] for touched in stage.ledger.touched] == [[], [], [2], [2]]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("GET", "/none", 404), ("TRACE", "/r", 405), ("CONNECT", "/r", 405), ("get", "/r", 400), ("G=T", "/r", 400)],
)
def test_what_is_no_call_of_a_service_leaves_no_row(method, target, status):
    stage = Stage()
    exchange = stage.ask(method, target)
    exchange.on_gone()
    assert [each[:2] for each in stage.take()] == [("respond", status)]
    assert stage.ledger.rows == []


def test_a_field_that_comes_twice_is_refused():
    stage = Stage()
    stage.ask(fields=[("Authorization", "a"), ("Authorization", "b")])
    assert [each[:2] for each in stage.take()] == [("respond", 400)]


def test_a_route_without_a_service():
    stage = Stage(entities=[("routes", {"name": "bare", "paths": ["/bare"]})])
    stage.ask(target="/bare")
    assert [each[:2] for each in stage.said] == [("row", 503), ("respond", 503)]
    assert message(stage) == "no Service found with those values"


def test_an_upstream_without_targets_wants_no_body():
    stage = Stage(entities=[("upstreams", {"name": "up.test"})])
    stage.ask("POST", length=BUFFER * 9, expect_continue=True)
    assert [each[:2] for each in stage.said] == [("row", 503), ("respond", 503)]
    assert message(stage) == "failure to get a peer from the ring-balancer"


# ---- failures of the upstream


def test_what_was_never_sent_is_tried_again_as_often_as_the_service_says():
    stage = Stage(retries=2)
    exchange = stage.ask("POST", length=2)
    exchange.on_body(b"ab", True)
    assert stage.take() == [("want",), ("send", "/base/x", b"ab", 0)]
    for _ in range(2):
        exchange.on_failure(make_failure())
        assert stage.take() == [("send", "/base/x", b"ab", 0)]
    exchange.on_failure(make_failure())
    assert [each[:2] for each in stage.take()] == [("row", 502), ("respond", 502)]
    row = stage.ledger.rows[0]
    assert (row.decision, row.deny_reason, row.upstream_status, row.complete) == ("allow", None, None, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_sent_is_never_sent_again(method):
    stage = Stage(retries=5)
    stage.ask(method).on_failure(make_failure(FailureKind.RESET, sent=True))
    assert [each[:2] for each in stage.take()] == [SENT[:2], ("row", 502), ("respond", 502)]


def test_a_body_that_streamed_is_never_sent_again():
    stage = Stage(retries=5)
    exchange = stage.ask("POST", length=BUFFER * 9)
    exchange.on_body(b"a", False)
    exchange.on_failure(make_failure())
    assert [each[0] for each in stage.take()] == ["send", "want", "up", "row", "respond"]
    exchange.on_body(b"b" * 99, True)
    assert stage.take() == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FailureKind.RESOLVE, 503),
        (FailureKind.CONNECT, 502),
        (FailureKind.CONNECT_TIMEOUT, 504),
        (FailureKind.TLS, 502),
        (FailureKind.WRITE_TIMEOUT, 504),
        (FailureKind.READ_TIMEOUT, 504),
        (FailureKind.RESET, 502),
        (FailureKind.BAD_ANSWER, 502),
        (FailureKind.CUT, 502),
    ],
)
def test_each_failure_has_its_answer(kind, status):
    stage = Stage(retries=0)
    stage.ask().on_failure(make_failure(kind))
    assert [each[:2] for each in stage.take()] == [SENT[:2], ("row", status), ("respond", status)]


def test_a_started_answer_is_cut_visibly():
    stage = Stage()
    exchange = stage.ask()
    exchange.on_head(make_answer(200, 100), b"hello", False)
    exchange.on_failure(make_failure(FailureKind.CUT, sent=True))
    assert stage.take() == [SENT, ("start", 200, 100, b"hello"), ("row", 200, False), ("abort",)]


def test_another_target_is_tried_first():
    targets = [("targets", {"upstream": {"name": "up.test"}, "target": f"10.0.0.{n}:80"}) for n in (1, 2)]
    stage = Stage(entities=[("upstreams", {"name": "up.test"}), *targets], retries=1)
    exchange = stage.ask()
    exchange.on_failure(make_failure())
    exchange.on_head(make_answer(200, 2), b"ok", True)
    assert sorted(origin.host for origin, _ in stage.heads) == ["10.0.0.1", "10.0.0.2"]
    assert stage.take()[-1] == ("respond", 200, b"ok")


# ---- answers that a rule edits whole

WHOLE = ("response-transformer", {"add": {"json": ["b:2"]}})
JSON = [("Content-Type", "application/json")]


def test_an_answer_that_a_rule_edits_goes_out_whole():
    stage = Stage(WHOLE)
    exchange = stage.ask()
    exchange.on_head(make_answer(200, 7, JSON), b'{"a":', False)
    exchange.on_data(b"1}", False)
    assert stage.take() == [SENT]
    exchange.on_data(b"", True)
    row, (word, status, body) = stage.take()
    assert (row, word, status, json.loads(body)) == (("row", 200, True), "respond", 200, {"a": 1, "b": "2"})
    assert stage.ledger.rows[0].bytes_out == len(body)


def test_an_answer_too_large_to_edit_is_a_502():
    stage = Stage(WHOLE)
    exchange = stage.ask()
    exchange.on_head(make_answer(200, None, JSON), b"x" * FILTER, False)
    assert stage.take() == [SENT]
    exchange.on_data(b"x", False)
    assert [each[:2] for each in stage.said] == [("up cancel",), ("row", 502), ("respond", 502)]
    assert message(stage) == refusals.ANSWER_TOO_LARGE.message


def test_an_edited_answer_that_is_cut_is_a_502_and_not_tried_again():
    stage = Stage(WHOLE, retries=5)
    exchange = stage.ask()
    exchange.on_head(make_answer(200, 100, JSON), b'{"a":', False)
    exchange.on_failure(make_failure(FailureKind.CUT, sent=True))
    assert [each[:2] for each in stage.take()] == [SENT[:2], ("row", 502), ("respond", 502)]


# ---- the client is gone


def gone(stage, exchange):
    """What is said when the client leaves, now and at a second notice."""
    stage.take()
    exchange.on_gone()
    said = stage.take()
    exchange.on_body(b"late", True)
    assert stage.take() == []
    return said


def test_gone_before_the_body_was_whole():
    stage = Stage()
    assert gone(stage, stage.ask("POST", length=9)) == [("row", 499, False)]


def test_gone_while_a_rule_waits_for_the_body():
    stage = Stage(EDIT)
    assert gone(stage, stage.ask("POST", fields=FORM, length=9)) == [("row", 499, False)]


def test_gone_while_uploading():
    stage = Stage()
    exchange = stage.ask("POST", length=BUFFER * 9)
    exchange.on_body(b"a", False)
    assert gone(stage, exchange) == [("up cancel",), ("row", 499, False)]
    assert stage.ledger.rows[0].bytes_in == 1


def test_gone_before_the_answer():
    stage = Stage()
    assert gone(stage, stage.ask()) == [("up cancel",), ("row", 499, False)]


def test_gone_within_the_answer():
    stage = Stage()
    exchange = stage.ask()
    exchange.on_head(make_answer(206), b"abc", False)
    assert gone(stage, exchange) == [("up cancel",), ("row", 206, False)]
    assert stage.ledger.rows[0].bytes_out == 3


def test_gone_while_an_answer_is_gathered():
    stage = Stage(WHOLE)
    exchange = stage.ask()
    exchange.on_head(make_answer(200, 100, JSON), b"{", False)
    assert gone(stage, exchange) == [("up cancel",), ("row", 200, False)]


def test_gone_while_the_row_is_written():
    stage = Stage()
    stage.ledger.held = True
    exchange = stage.ask()
    exchange.on_head(make_answer(200, 2), b"ok", True)
    assert [each for each in gone(stage, exchange) if each[0] == "row"] == []
    assert len(stage.ledger.rows) == 1


def test_gone_after_a_refusal():
    stage = Stage(("key-auth", {}))
    stage.ledger.held = True
    assert gone(stage, stage.ask()) == []


# ---- the ledger fails


@pytest.mark.parametrize("how", ["failure", "overloaded"])
def test_nothing_is_admitted_that_could_not_be_recorded(how):
    stage = Stage()
    setattr(stage.ledger, how, StoreFull("full") if how == "failure" else True)
    stage.ask()
    assert [each[:2] for each in stage.said] == [("respond", 503)]
    assert message(stage) == refusals.STORE_DOWN.message


def test_an_answer_without_a_row_is_not_given():
    stage = Stage()
    stage.ledger.fault = StoreFull("full")
    stage.ask().on_head(make_answer(200, 2), b"ok", True)
    assert [each[:2] for each in stage.said] == [SENT[:2], ("row", 200), ("respond", 503)]
    assert message(stage) == refusals.STORE_DOWN.message
    assert stage.reports == [stage.ledger.fault]


def test_a_stream_without_a_row_is_cut_before_its_end():
    stage = Stage()
    exchange = stage.ask()
    exchange.on_head(make_answer(), b"one", False)
    stage.ledger.fault = StoreFull("full")
    exchange.on_data(b"two", True)
    assert stage.take() == [SENT, ("start", 200, None, b"one"), ("row", 200, True), ("abort",)]


# ---- tunnels

UPGRADE = {"upgrade": b"websocket", "connection_tokens": (b"upgrade",)}


def test_a_tunnel_passes_both_ways_after_its_row():
    stage = Stage()
    stage.ledger.held = True
    exchange = stage.ask(fields=[("Upgrade", "websocket")], **UPGRADE)
    exchange.on_head(make_answer(101, has_body=False), b"hi", False)
    assert stage.take() == [SENT, ("up pause",), ("row", 101, True)]
    stage.ledger.commit()
    assert stage.take() == [("start", 101, None, b"hi"), ("up resume",)]
    exchange.on_body(b"one", False)
    exchange.on_data(b"two", False)
    exchange.on_body(b"", True)
    exchange.on_data(b"", True)
    assert stage.take() == [("up", b"one"), ("write", b"two"), ("up end",), ("end", b"")]
    assert len(stage.ledger.rows) == 1


@pytest.mark.parametrize("end", ["failure", "gone"])
def test_a_tunnel_that_breaks_takes_the_other_side_along(end):
    stage = Stage()
    exchange = stage.ask(**UPGRADE)
    exchange.on_head(make_answer(101, has_body=False), b"", False)
    stage.take()
    if end == "failure":
        exchange.on_failure(make_failure(FailureKind.CUT, sent=True))
        assert stage.take() == [("abort",)]
    else:
        exchange.on_gone()
        assert stage.take() == [("up cancel",)]
    assert len(stage.ledger.rows) == 1


# ---- faults of our own


class Broken(Rule):
    """A rule with a bug."""

    def response(self, call, draft):
        raise RuntimeError("a bug in a rule")

    def settle(self, call, complete):
        raise RuntimeError("another one")


def test_a_rule_that_fails_on_an_answer_leaves_nobody_waiting(caplog):
    stage = Stage()
    exchange = stage.ask()
    exchange.plan = make_plan([(0, Broken())])
    exchange.position = 0
    with pytest.raises(RuntimeError):
        exchange.on_head(make_answer(200, 2), b"ok", True)
    exchange.on_failure(make_failure(FailureKind.CUT, sent=True))  # so the wire tells it
    assert stage.said[-2] == ("row", 500, True)
    assert stage.said[-1][:2] == ("respond", 500)
    assert stage.said[-1][2].startswith(b"An unexpected error occurred\n")
    assert [record.message for record in caplog.records] == [
        "a rule failed on our own answer", "a rule failed at the end of a request",
    ]  # fmt: skip
