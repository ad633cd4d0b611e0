"""RECORD: the row and the outline of a request that is over."""

from tests.support.stage import Stage, make_answer

MS = 1_000_000
LOG = ("file-log", {"path": "unused"})


def finished(stage, *args, **facts):
    """Two milliseconds in the gateway, three until the head, four for the rest."""
    stage.clock.advance_ns(2 * MS)
    exchange = stage.ask(*args, **facts)
    stage.clock.advance_ns(3 * MS)
    exchange.on_sent("10.0.0.1", 5000)
    exchange.on_head(make_answer(201, None, [("X-Up", "1")]), b"abc", False)
    stage.clock.advance_ns(4 * MS)
    exchange.on_data(b"de", True)
    return stage.ledger.rows[-1]


def test_the_row_of_a_call():
    stage = Stage(
        ("key-auth", {}),
        entities=[
            ("consumers", {"username": "ann", "custom_id": "7"}),
            ("keyauth_credentials", {"key": "k", "consumer": {"username": "ann"}}),
            ("consumer_groups", {"name": "gold"}),
            ("consumer_group_consumers", {"consumer": {"username": "ann"}, "consumer_group": {"name": "gold"}}),
        ],
    )
    row = finished(stage, "PUT", fields=[("apikey", "k")])
    consumer = stage.live.snapshot.consumer_by_name("ann")
    service, route = (next(iter(stage.live.catalog.rows(kind)))["id"] for kind in ("services", "routes"))
    credential = next(iter(stage.live.catalog.rows("keyauth_credentials")))["id"]
    assert (row.consumer_id, row.consumer, row.tier) == (consumer.id, "ann", "gold")
    assert (row.credential_id, row.route_id, row.service_id) == (credential, route, service)
    assert (row.method, row.status, row.upstream_status, row.complete) == ("PUT", 201, 201, True)
    assert (row.decision, row.deny_reason) == ("allow", None)
    assert (row.gateway_us, row.upstream_us, row.total_us) == (0, 3000, 7000)
    assert (row.bytes_in, row.bytes_out) == (0, 5)
    assert row.at_ns == stage.clock.now_ns() - 7 * MS
    assert row.request_id[:16] == f"{row.at_ns:016x}"


def test_the_row_of_a_refusal_names_its_reason_and_no_upstream():
    stage = Stage(("key-auth", {}))
    stage.ask()
    row = stage.ledger.rows[-1]
    assert (row.decision, row.deny_reason, row.status) == ("deny", "no_key", 401)
    assert (row.upstream_status, row.upstream_us, row.consumer, row.credential_id) == (None, None, None, None)


def test_a_consumer_without_a_name_is_known_by_its_other_one():
    stage = Stage(
        ("key-auth", {}),
        entities=[
            ("consumers", {"custom_id": "7", "id": "00000000-0000-4000-8000-0000000000aa"}),
            ("keyauth_credentials", {"key": "k", "consumer": {"id": "00000000-0000-4000-8000-0000000000aa"}}),
        ],
    )
    assert finished(stage, fields=[("apikey", "k")]).consumer == "7"


def test_the_outline_counts_heads_too():
    stage = Stage(LOG)
    finished(stage, "GET", "/r/x", [("X-Own", "1")])
    entry = stage.orders[0].entry
    sent = b"GET /r/x HTTP/1.1\r\nHost: gw.test\r\nX-Own: 1\r\n\r\n"
    assert entry["request"]["size"] == len(sent)
    assert entry["response"]["status"] == 201
    assert entry["response"]["headers"]["x-up"] == "1"
    assert entry["response"]["size"] > len("HTTP/1.1 201 Created\r\n\r\nabcde")
    assert entry["latencies"]["proxy"] == 3


def test_a_call_without_a_route_is_logged_by_global_plugins_and_has_no_row():
    stage = Stage(entities=[("plugins", {"name": "file-log", "config": {"path": "unused"}})])
    stage.ask(target="/none")
    assert [order.entry["response"]["status"] for order in stage.orders] == [404]
    assert stage.ledger.rows == []
