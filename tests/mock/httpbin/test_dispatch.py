"""What no row answers, and what every answer carries."""

from aimon_local.clock import ManualClock
from aimon_local.mock.httpbin.ask import World
from tests.support.asks import ask, field


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
