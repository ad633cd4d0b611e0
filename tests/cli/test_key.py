"""``key``: a key is shown once; it works, rotates, expires and is revoked for the very next request."""

import pytest

from aimon_local.cli.key import DURATION
from tests.support.live import ask


@pytest.fixture
def call(gateway):
    """Call a service that asks for a key."""
    name = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    gateway.plugin(name, "key-auth")
    return lambda key: ask(gateway.proxy, "GET", f"/{name}/get", apikey=key).status


@pytest.fixture
def consumer(gateway):
    return gateway.consumer()[0]


def new_key(cli, consumer, *options):
    """(id, key) of a new key; stdout is the key alone."""
    result = cli("key", "create", consumer, *options)
    key = result.stdout.removesuffix("\n")
    assert "\n" not in key
    assert key not in result.stderr
    return result.stderr.split()[1].rstrip(";"), key


def test_a_key_works_and_is_not_shown_again(cli, call, consumer):
    _, key = new_key(cli, consumer)
    assert call(key) == 200
    for words in (("key", "list", consumer), ("key", "list"), ("key", "list", consumer, "--json")):
        shown = cli(*words).stdout
        assert key not in shown
        assert key[:4] + "*" * 28 in shown


def test_a_key_of_ones_own(cli, call, consumer):
    assert new_key(cli, consumer, "--key", "my-own-key")[1] == "my-own-key"
    assert call("my-own-key") == 200


def test_revoke(cli, call, consumer):
    key_id, key = new_key(cli, consumer)
    cli("key", "revoke", consumer, key_id)
    assert call(key) == 401
    assert key_id in cli.fails("key", "revoke", consumer, key_id)


def test_rotate(cli, call, consumer):
    key_id, old = new_key(cli, consumer)
    result = cli("key", "rotate", consumer, key_id)
    assert (call(old), call(result.stdout.strip())) == (401, 200)


def test_rotate_with_grace(cli, call, consumer):
    key_id, old = new_key(cli, consumer)
    new = cli.json("key", "rotate", consumer, key_id, "--grace", "1h")["key"]
    assert (call(old), call(new)) == (200, 200)
    left = {row["id"]: row["ttl"] for row in cli.json("key", "list", consumer)}
    assert 3590 < left[key_id] <= 3600


def test_a_rotation_never_makes_a_key_live_longer(cli, consumer):
    key_id, _ = new_key(cli, consumer, "--ttl", "90")
    cli("key", "rotate", consumer, key_id, "--grace", "1d")
    left = {row["id"]: row["ttl"] for row in cli.json("key", "list", consumer)}
    assert left[key_id] <= 90


def test_expire(cli, call, consumer):
    key_id, key = new_key(cli, consumer)
    assert 7190 < cli.json("key", "expire", consumer, key_id, "--in", "2h")["ttl"] <= 7200
    assert call(key) == 200


def test_a_consumer_or_key_that_is_none(cli, consumer):
    assert cli.fails("key", "create", "nobody").startswith("error: ")
    assert "nokey" in cli.fails("key", "rotate", consumer, "nokey")
    assert cli.fails("key", "expire", consumer, "00000000-0000-4000-8000-000000000000", "--in", "1h").startswith(
        "error: "
    )
    assert len(cli.json("key", "list", consumer)) == 1  # a failed rotation made none


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), ("1w", 604800)])
def test_durations(text, seconds):
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "1y", "-1", "1.5h", "m", "1 h"])
def test_what_is_no_duration(cli, text):
    assert "is not a duration" in cli.fails("key", "create", "x", "--ttl", text, code=2)
