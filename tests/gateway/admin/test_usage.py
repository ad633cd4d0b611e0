"""GET /usage and /usage/timeseries: whose rows are summed, over which time, apart by what."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimon_local.gateway.admin.span import Span
from aimon_local.gateway.admin.usage import filled, plain, steps
from aimon_local.model.moment import DAY, HOUR, SECOND
from aimon_local.storage.queries import UsageTotals
from tests.support.admin import AdminUnderTest


def totals(requests, denied=0):
    return UsageTotals(requests=requests, denied=denied, statuses={200: requests, 429: denied})


@pytest.fixture
def admin():
    made = AdminUnderTest()
    id_ = made.ask("POST", "/consumers", {"username": "ann", "custom_id": "c1"})[1]["id"]
    made.ledger.totals = {id_: totals(3, 1), None: totals(9, 1), "gone": totals(2)}
    made.id = id_
    return made


def test_by_any_name_of_the_consumer(admin):
    for name in ("ann", "c1", admin.id):
        status, body = admin.ask("GET", f"/usage?consumer={name}")
        assert (status, body["totals"]["requests"]) == (200, 3)
        assert body["consumer"] == {"id": admin.id, "username": "ann"}


def test_of_all(admin):
    body = json.loads(json.dumps({"consumer": None, "totals": plain(totals(9, 1))}))
    assert admin.ask("GET", "/usage") == (200, body)


def test_a_deleted_consumer_keeps_its_rows(admin):
    status, body = admin.ask("GET", "/usage?consumer=gone")
    assert (status, body["consumer"], body["totals"]["requests"]) == (200, None, 2)


@pytest.mark.parametrize("path", ["/usage", "/usage/timeseries"])
def test_nobody(admin, path):
    assert admin.ask("GET", f"{path}?consumer=zoe")[0] == 404
    status, body = admin.ask("GET", f"{path}?consumer=")
    assert (status, body) == (400, {"message": "consumer must be an unempty string"})


def test_a_span_without_rows_is_not_nobody(admin):
    admin.ledger.totals = {"gone": totals(0)}
    ever = [totals(0), totals(5)]  # in the span, and of all time

    async def usage_totals(*_):
        made = ever.pop(0)
        return made if made.requests else UsageTotals()

    admin.ledger.usage_totals = usage_totals
    status, body = admin.ask("GET", "/usage?consumer=gone&since=1h")
    assert (status, body["totals"]["requests"]) == (200, 0)


def test_a_span_is_asked_for_and_told(admin):
    now = admin.clock.now_ns()
    _, body = admin.ask("GET", "/usage?since=24h&until=1700000000")
    assert admin.ledger.asked == [(None, now - DAY, 1_700_000_000 * SECOND)]
    assert (body["since"], body["until"]) == ("2023-11-13T22:13:20Z", "2023-11-14T22:13:20Z")


@pytest.mark.parametrize("path", ["/usage", "/usage/timeseries", "/requests"])
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("since=soon", "since must be a time"),
        ("until=", "until must be a time"),
        ("since=1h&until=2h", "since (2023-11-14T21:13:20Z) must not be later than until (2023-11-14T20:13:20Z)"),
    ],
)
def test_times_that_mean_nothing(admin, path, query, says):
    status, body = admin.ask("GET", f"{path}?{query}")
    assert status == 400
    assert body["message"].startswith(says)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            "/usage?by=colour",
            "by must be one of consumer, tier, route, agent, service, status, hour, day, not 'colour'",
        ),
        ("/usage/timeseries?step=minute", "step must be one of hour, day, not 'minute'"),
        ("/usage/timeseries?since=2010-01-01", "since is too early: at most 10000 steps are given at once"),
    ],
)
def test_words_that_mean_nothing(admin, path, says):
    status, body = admin.ask("GET", path)
    assert (status, body["message"]) == (400, says)


def grouped(admin, by, found):
    admin.ledger.groups = {by: found}
    _, body = admin.ask("GET", f"/usage?by={by}")
    assert body["by"] == by
    return [(group["id"], group["name"], group["totals"]["requests"]) for group in body["groups"]]


def test_groups_have_names_beside_ids(admin):
    service = admin.ask("POST", "/services", {"name": "s1", "url": "http://h.test"})[1]["id"]
    tier = admin.ask("POST", "/consumer_groups", {"name": "free"})[1]["id"]
    few, many = totals(1), totals(5)
    assert grouped(admin, "consumer", {"gone": few, "ann": many}) == [(admin.id, "ann", 5), (None, "gone", 1)]
    assert grouped(admin, "tier", {"free": few, "": many}) == [(None, None, 5), (tier, "free", 1)]
    assert grouped(admin, "service", {service: many, "deleted": few}) == [(service, "s1", 5), ("deleted", None, 1)]
    assert grouped(admin, "route", {"": few}) == [(None, None, 1)]


def test_groups_of_numbers_stand_in_their_order(admin):
    many, few = totals(5), totals(1)
    assert grouped(admin, "status", {429: many, 0: few, 299: few}) == [
        (0, "no answer", 1), (299, None, 1), (429, "Too Many Requests", 5),
    ]  # fmt: skip
    assert grouped(admin, "hour", {7200: many, 3600: few}) == [
        (3600, "1970-01-01T01:00:00Z", 1), (7200, "1970-01-01T02:00:00Z", 5),
    ]  # fmt: skip


def test_a_series_has_every_step(admin):
    admin.ledger.groups = {"hour": {1_699_992_000: totals(4)}}
    _, body = admin.ask("GET", "/usage/timeseries?since=2h&consumer=ann")
    assert [(point["at"], point["totals"]["requests"]) for point in body["points"]] == [
        ("2023-11-14T20:00:00Z", 4), ("2023-11-14T21:00:00Z", 0), ("2023-11-14T22:00:00Z", 0),
    ]  # fmt: skip
    assert (body["since"], body["until"], body["step"]) == ("2023-11-14T20:00:00Z", "2023-11-14T23:00:00Z", "hour")
    assert admin.ledger.asked == [("hour", admin.id, 1_699_992_000 * SECOND, 1_700_002_800 * SECOND)]


def test_a_series_without_a_beginning(admin):
    assert len(admin.ask("GET", "/usage/timeseries")[1]["points"]) == 24
    assert len(admin.ask("GET", "/usage/timeseries?step=day")[1]["points"]) == 30


moments = st.integers(0, 4_000_000_000 * SECOND)


@given(moments, moments, st.sampled_from([("hour", HOUR), ("day", DAY)]))
def test_steps_are_whole_and_hold_the_span(one, other, step):
    (word, size), (since, until) = step, sorted((one, other))
    starts = steps(Span(since, until), word, 0)
    assert starts.step * SECOND == size
    if since < until:
        assert starts.start * SECOND <= since < starts.start * SECOND + size
        assert until <= starts.stop * SECOND < until + size
    assert all(start * SECOND % size == 0 for start in starts[:3])


@given(st.integers(0, 50), st.integers(0, 50), st.dictionaries(st.integers(0, 60), st.integers(1, 9)))
def test_filling_loses_and_invents_nothing(first, count, counts):
    starts = range(first * 3600, (first + count) * 3600, 3600)
    found = {hour * 3600: totals(requests) for hour, requests in counts.items()}
    points = filled(starts, found)
    assert [start for start, _ in points] == list(starts)
    assert all(made == found.get(start, UsageTotals()) for start, made in points)


def test_now_is_part_of_an_open_series():
    assert steps(Span(), "hour", 7200 * SECOND).stop == 10800  # on the hour: the hour that begins is there
    assert steps(Span(), "hour", 7200 * SECOND)[-1] == 7200
