"""The forms of usage, on fixed rows: golden documents, sums that agree with the rows, text that stays text."""

import csv
import io
import json

import pytest

from aimon_local.exports.usage import EVENTS, FORMATS, focus

NANO = 1_000_000_000
NOON = 1_795_521_600 * NANO  # 2026-11-24T12:00:00Z
SOURCE = "aimon-local/node"


def row(number, model=None, **changes):
    ai = None
    if model is not None:
        ai = {
            **{"dialect": "openai.chat", "model": model, "served": model, "stream": False, "source": "reported"},
            **{"input": 100, "cache_read": 20, "cache_write": 0, "output": 50, "reasoning": 0},
            **{"cost": 1_500_000, "charge": 2_000_000, "agent": None, "owner": None, "run": None},
        }
    return {
        **{"seq": number, "request_id": f"r{number}", "at_ns": NOON + number, "consumer": "ann", "consumer_id": "c1"},
        **{"tier": "pro", "route": "ai", "service": "llm", "method": "POST", "status": 200, "decision": "allow"},
        **{"deny_reason": None, "complete": True, "total_us": 2500, "bytes_in": 10, "bytes_out": 20, "ai": ai},
        **{"corrected_cost": 0, "corrected_charge": 0},
        **changes,
    }


ROWS = [
    row(1, "gpt-4o-mini"),
    row(2, "gpt-4o-mini", corrected_cost=500_000),
    row(3),
    row(4, decision="deny", deny_reason="requests/day", status=429),
    row(5, "gpt-4o-mini", at_ns=NOON + 86_400 * NANO),
]


def events(form, rows=ROWS):
    return [json.loads(line) for line in FORMATS[form].lines(rows, SOURCE)]


def table(form, rows=ROWS):
    text = "".join(FORMATS[form].lines(rows, SOURCE))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_cloudevents_one_for_each_row_refused_ones_too():
    found = events("cloudevents")
    assert [each["id"] for each in found] == ["r1", "r2", "r3", "r4", "r5"]
    first = found[0]
    assert {name: first[name] for name in ("specversion", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "source": SOURCE,
        "type": "aimon.request",
        "subject": "ann",
        "time": "2026-11-24T12:00:00.000000001Z",
    }
    assert (first["data"]["tokens"], first["data"]["cost"], first["data"]["charge"]) == (170, "0.0015", "0.002")
    assert found[1]["data"]["cost"] == "0.002"  # with its correction
    assert found[3]["data"]["deny_reason"] == "requests/day"


def test_openmeter_counts_tokens_by_kind_under_ids_of_their_own():
    found = events("openmeter", ROWS[:1])
    assert [(each["id"], each["type"]) for each in found] == [
        ("r1", "request"),
        ("r1-input", "tokens"),
        ("r1-cache_read", "tokens"),
        ("r1-output", "tokens"),
        ("r1-spend", "spend"),
    ]
    assert found[1]["data"] == {
        **{"tier": "pro", "route": "ai", "service": "llm", "model": "gpt-4o-mini"},
        **{"type": "input", "tokens": 100, "source": "reported"},
    }


def test_openmeter_counts_no_refused_request():
    assert events("openmeter", [ROWS[3]]) == []


def test_the_same_row_is_the_same_event_whenever_it_is_sent():
    for make in EVENTS.values():
        assert make(ROWS[0], SOURCE) == make(dict(ROWS[0]), SOURCE)


def test_focus_adds_up_by_day_consumer_and_model():
    found = table("focus")
    assert list(found[0]) == list(focus.COLUMNS)
    charges = [(each["ChargePeriodStart"], each["ServiceName"], each["BilledCost"]) for each in found]
    assert charges == [
        ("2026-11-24T00:00:00Z", "API", "0.00"),
        ("2026-11-24T00:00:00Z", "gpt-4o-mini", "0.004"),
        ("2026-11-25T00:00:00Z", "gpt-4o-mini", "0.002"),
    ]
    day = found[1]
    assert (day["x_ProviderCost"], day["x_Margin"], day["x_Requests"]) == ("0.0035", "0.0005", "2")
    assert (day["ConsumedQuantity"], day["ConsumedUnit"]) == ("340", "Tokens")
    assert (day["BillingPeriodStart"], day["BillingPeriodEnd"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")


def test_focus_says_a_loss():
    lost = table("focus", [row(1, "m", corrected_cost=9_000_000)])
    assert lost[0]["x_Margin"] == "-0.0085"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1+1", "-2+3", "@x", "=1"])
def test_a_name_never_is_a_formula(name):
    assert table("csv", [row(1, consumer=name)])[0]["consumer"] == "'" + name
    assert table("focus", [row(1, consumer=name)])[0]["BillingAccountName"] == "'" + name


def test_csv_has_each_row_and_survives_any_text():
    odd = 'a"b,c\nd'
    found = table("csv", [row(1, consumer=odd), *ROWS[1:]])
    assert [each["request_id"] for each in found] == ["r1", "r2", "r3", "r4", "r5"]
    assert found[0]["consumer"] == odd
    assert found[0]["time"] == "2026-11-24T12:00:00.000000001Z"


def test_no_rows_are_a_header_at_most():
    assert [events("cloudevents", []), events("openmeter", []), table("csv", []), table("focus", [])] == [[]] * 4
