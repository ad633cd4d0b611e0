"""GET /usage: whose rows are summed."""

import pytest

from tests.support.admin import AdminUnderTest


@pytest.fixture
def admin():
    made = AdminUnderTest()
    id_ = made.ask("POST", "/consumers", {"username": "ann", "custom_id": "c1"})[1]["id"]
    made.totals = {id_: {"requests": 3, "denied": 1}, None: {"requests": 9, "denied": 1}, "gone": {"requests": 2}}
    made.id = id_
    return made


def test_by_any_name_of_the_consumer(admin):
    for name in ("ann", "c1", admin.id):
        status, body = admin.ask("GET", f"/usage?consumer={name}")
        assert (status, body["totals"]["requests"]) == (200, 3)
        assert body["consumer"] == {"id": admin.id, "username": "ann"}


def test_of_all(admin):
    assert admin.ask("GET", "/usage") == (200, {"consumer": None, "totals": {"requests": 9, "denied": 1}})


def test_a_deleted_consumer_keeps_its_rows(admin):
    assert admin.ask("GET", "/usage?consumer=gone") == (200, {"consumer": None, "totals": {"requests": 2}})


def test_nobody(admin):
    assert admin.ask("GET", "/usage?consumer=zoe")[0] == 404
    assert admin.ask("GET", "/usage?consumer=")[0] == 400
