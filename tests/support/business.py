"""A fixed ledger of eleven days, small enough to be reckoned by hand: what insights are proved on.

Until noon of 2026-11-15. ann (free, 130 requests a month) calls an AI route ten times a day, then 34 times, of which the
last four are refused. bob (pro, 1000 requests a day) calls a plain route twenty times a day, every tenth fails; on the
last day twice. cy went from free to pro and calls no more. dee is new and has not called.
"""

from aimon_local.model.ai import AiRecord, word
from aimon_local.model.moment import DAY, HOUR, SECOND, moment
from aimon_local.policy.insights.facts import Ended, Facts, Known, Move
from aimon_local.policy.pricing import Component, PricePlan, Step
from tests.support.ledger import usage_row
from tests.support.tiers import BOOK

UNTIL = moment("2026-11-15T12:00:00Z", 0)
SINCE = moment("2026-11-01", 0)
MONTH_END, MINUTE = moment("2026-12-01", 0) // SECOND, 60 * SECOND
PLAN = PricePlan("metered", components=(Component("requests", (Step(None, 10_000_000),), included=100),))
_RECORD = AiRecord("openai.chat", "free", "m-1", None, False, 10, 10, 20, 0, input=10, output=5, cost=1000, charge=2000)


def _ann():
    used = 0
    for back in range(10, -1, -1):
        for number in range(34 if back == 0 else 10):
            at = UNTIL - (back + 1) * DAY + HOUR + number * MINUTE
            denied = used == 130
            after = used if denied else used + 1
            record = _RECORD._replace(limits=(word("requests/month", "", 130, used, 0, after, MONTH_END),))
            row = usage_row(used, at_ns=at, consumer_id="a", consumer="ann", total_us=(number + 1) * 1000)
            if denied:
                row = row._replace(decision="deny", deny_reason="quota_exhausted", status=429)
                record = record._replace(denied_limit="requests/month", used=used, input=0, output=0, cost=0, charge=0)
            used = after
            yield Ended(row, record, record.cost, record.charge, "ai", "chat")


def _bob():
    for back in range(10, -1, -1):
        begin = UNTIL - (back + 1) * DAY + 2 * HOUR
        day_end = (begin // DAY + 1) * DAY // SECOND
        for number in range(2 if back == 0 else 20):
            mark = word("requests/day", "", 1000, number, 0, number + 1, day_end)
            record = AiRecord("", "pro", "", None, False, 0, 0, 0, 0, limits=(mark,))
            status = 502 if number % 10 == 9 else 200
            row = usage_row(number, at_ns=begin + number * MINUTE, consumer_id="b", consumer="bob", status=status)
            yield Ended(row, record, 0, 0, "plain", "files")


def facts(**changes):
    """The ledger, as the gateway hands it to a fold."""
    rows = sorted([*_ann(), *_bob()], key=lambda each: each.row.at_ns)
    day = {number: SINCE + (number - 1) * DAY for number in range(1, 15)}
    known = {
        "now_ns": UNTIL,
        "since_ns": SINCE,
        "until_ns": UNTIL,
        "rows": rows,
        "moves": [
            Move(day[9], "c", "cy", "free", False),
            Move(day[9], "c", "cy", "pro", True),
            Move(day[2], "c", "cy", "free", True),
            Move(day[1], "a", "ann", "free", True),
            Move(day[1], "b", "bob", "pro", True),
        ],
        "consumers": [Known("a", "ann", day[1]), Known("b", "bob", SINCE - DAY), Known("d", "dee", day[10])],
        "paid": frozenset(("pro",)),
        "plan": lambda _: PLAN,
        "price": BOOK.find,
    }
    return Facts(**known | changes)
