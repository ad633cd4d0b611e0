"""RECEIVE: the facts that rules see, of a head as it came."""

import pytest

from aimon_local.gateway import receive
from aimon_local.gateway.receive import read_call
from tests.support.calls import pairs
from tests.support.stage import Stage, make_head


def read(*args, **facts):
    stage = Stage()
    return read_call(stage.runtime, stage.client(), make_head(*args, **facts))


def test_the_facts_of_a_request():
    call = read("POST", "/r/x?a=1&b", [("X-Own", "1")], length=3, expect_continue=True)
    assert (call.method, call.path, call.query, call.host) == ("POST", "/r/x", "a=1&b", "gw.test")
    assert (call.client_ip, call.client_port, call.server_port) == ("10.0.0.9", 40000, 8000)
    assert (call.content_length, call.chunked, call.expects_continue) == (3, False, True)
    assert (call.upstream_method, call.upstream_query) == ("POST", "a=1&b")
    assert (call.connection, call.connection_requests, call.process_id) == (1, 1, 1)
    assert call.match is call.consumer is call.credential is call.body is None


@pytest.mark.parametrize(("target", "query"), [("/r", None), ("/r?", ""), ("/r?a?b", "a?b")])
def test_no_query_is_not_an_empty_one(target, query):
    call = read(target=target)
    assert (call.query, call.upstream_query) == (query, query)


@pytest.mark.parametrize(("target", "path"), [("/a/../r", "/r"), ("/r/./x", "/r/x"), ("/%72", "/r"), ("/r//x", "/r/x")])
def test_the_path_is_routed_in_its_normal_form(target, path):
    call = read(target=target)
    assert (call.raw_path, call.path) == (target, path)


def test_a_target_is_read_the_same_each_time_and_however_many_there_were():
    targets = ["/a/../r?x=%41", "/r", "/" + "a" * 300, *(f"/r/{n}//x?" for n in range(600))]
    stage = Stage()

    def taken_apart(target):
        call = read_call(stage.runtime, stage.client(), make_head(target=target))
        return call.raw_path, call.path, call.query

    first, again = ([taken_apart(target) for target in targets] for _ in range(2))
    assert again == first
    assert first[:2] == [("/a/../r", "/r", "x=%41"), ("/r", "/r", None)]
    assert first[-1] == ("/r/599//x", "/r/599/x", "")
    assert len(receive._targets) <= 512


@pytest.mark.parametrize(
    "name", ["X-Consumer-Username", "x_consumer_id", "X-CREDENTIAL-Identifier", "X-Anonymous-Consumer"]
)
def test_who_calls_is_not_for_the_client_to_say(name):
    assert pairs(read(fields=[(name, "root"), ("X-Other", "1")]).fields)[-1:] == [("X-Other", "1")]
    assert "root" not in str(pairs(read(fields=[(name, "root")]).fields))


def test_what_the_connection_names_stays_on_it():
    call = read(fields=[("Connection", "x-hop"), ("X-Hop", "1"), ("TE", "gzip")], connection_tokens=(b"x-hop",))
    assert "X-Hop" not in dict(pairs(call.fields))
    assert "Connection" not in dict(pairs(call.fields))
