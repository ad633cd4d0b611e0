"""GET /requests and /requests/{request_id}."""

import pytest

from aimon_local.model.ai import AiRecord
from tests.support.admin import AdminUnderTest
from tests.support.ledger import usage_row


@pytest.fixture
def admin():
    made = AdminUnderTest()
    made.ledger.rows = [usage_row(number) for number in (5, 4, 3, 2, 1)]
    return made


def numbers(body):
    return [int(row["request_id"], 16) for row in body["data"]]


def test_pages_lead_to_the_end(admin):
    path, seen = "/requests?size=2", []
    while path:
        status, body = admin.ask("GET", path)
        assert status == 200
        seen.append(numbers(body))
        path = body["next"]
        assert ("before" in body) == (path is not None)
    assert seen == [[5, 4], [3, 2], [1]]


def test_a_page_repeats_what_was_asked(admin):
    id_ = admin.ask("POST", "/consumers", {"username": "a&b"})[1]["id"]
    _, body = admin.ask("GET", "/requests?size=2&consumer=a%26b&since=1700000000")
    assert body["next"] == "/requests?before=4&consumer=a%26b&size=2&since=1700000000"
    admin.ask("GET", body["next"])
    assert admin.ledger.asked[-1] == (id_, 1_700_000_000 * 10**9, None, 4, 2)


def test_nothing_comes_before_the_first_row(admin):
    assert admin.ask("GET", "/requests?before=0") == (200, {"data": [], "next": None})


@pytest.mark.parametrize("before", ["x", "-1", "", "1.0", "\u0662", "99999999999999999999", "4611686018427387904"])
def test_a_place_that_is_none(admin, before):
    status, body = admin.ask("GET", f"/requests?before={before}")
    assert status == 400
    assert body["message"].startswith("before must be a whole number from 0 up")


def test_sizes_are_those_of_all_lists(admin):
    assert admin.ask("GET", "/requests?size=0")[1]["code"] == 9
    assert admin.ask("GET", "/requests?size=1001")[0] == 400


def test_a_row_as_it_is_stored_with_names(admin):
    service = admin.ask("POST", "/services", {"name": "s1", "url": "http://h.test"})[1]["id"]
    row = admin.ledger.rows[0] = usage_row(5, service_id=service, route_id=None)
    status, body = admin.ask("GET", f"/requests/{row.request_id}")
    assert (status, body) == (200, {**row._asdict(), "ai": None, "route": None, "service": "s1", "corrections": []})
    assert admin.ask("GET", f"/requests/{admin.ledger.rows[1].request_id}")[1]["route"] is None  # deleted since


def test_what_an_ai_call_used_stands_with_its_row(admin):
    record = AiRecord(
        "openai.chat", "free", "m", None, True, 1, 2, 3, 4, input=5, flags=("odd",), limits=("requests/day=9,1,1,2,7",)
    )
    admin.ledger.ai[admin.ledger.rows[1].request_id] = record
    found = [row["ai"] for row in admin.ask("GET", "/requests")[1]["data"]]
    assert found[1]["limits"] == [
        {"name": "requests/day", "account": "", "amount": 9, "before": 1, "held": 1, "after": 2, "resets": 7}
    ]
    assert found == [None, {**record.facts(), "flags": ["odd"], "shadow": []}, None, None, None]


def test_a_request_that_never_was(admin):
    assert admin.ask("GET", "/requests/none") == (404, {"message": "Not found"})
