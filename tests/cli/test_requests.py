"""``requests``: rows of the ledger, the last first; one by its id."""

import pytest

from tests.support.live import ask


@pytest.fixture
def called(gateway):
    """A consumer with three calls, the last one refused: (name, request ids)."""
    name = gateway.route("http://127.0.0.1:{1}".format(*gateway.builtin))
    gateway.plugin(name, "key-auth")
    consumer, key = gateway.consumer(rate_limiting={"year": 2})
    return consumer, [ask(gateway.proxy, "GET", f"/{name}/get", apikey=key).request_id for _ in range(3)]


def test_the_last_comes_first_page_by_page(cli, called):
    consumer, ids = called
    rows = cli.json("requests", "--consumer", consumer)["data"]
    assert [row["request_id"] for row in rows] == ids[::-1]
    assert [row["deny_reason"] for row in rows] == ["rate_limited", None, None]
    page = cli("requests", "--consumer", consumer, "--size", "2")
    assert [line.split()[1] for line in page.stdout.splitlines()] == ["REQUEST_ID", *ids[:0:-1]]
    before = page.stderr.split()[-1]
    assert page.stderr == f"more: --before {before}\n"
    rest = cli("requests", "--consumer", consumer, "--before", before)
    assert [line.split()[1] for line in rest.stdout.splitlines()] == ["REQUEST_ID", ids[0]]
    assert rest.stderr == ""


def test_a_span(cli, called):
    assert len(cli.json("requests", "--consumer", called[0], "--since", "1h")["data"]) == 3
    assert cli.json("requests", "--consumer", called[0], "--until", "1h")["data"] == []
    assert "since must be a time" in cli.fails("requests", "--since", "soon")


def test_one_by_its_id(cli, called):
    consumer, ids = called
    assert cli.json("requests", "show", ids[2])["deny_reason"] == "rate_limited"
    lines = cli("requests", "show", ids[0]).stdout.splitlines()
    assert lines[0] == f"request_id: {ids[0]}"
    assert f"consumer: {consumer}" in lines
    assert "there is no request 'none'" in cli.fails("requests", "show", "none")
