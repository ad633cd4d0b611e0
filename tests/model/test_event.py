"""Events: what goes out, and what must not."""

import json

from aimon_local.model.ai import AiRecord
from aimon_local.model.alert import Alert
from aimon_local.model.approval import Question
from aimon_local.model.event import (
    KINDS,
    MOST_CHANGES,
    AlertRaised,
    ApprovalChanged,
    ClockMoved,
    ConfigChanged,
    Gap,
    GuardSpoke,
    LabMoved,
    LedgerState,
    RequestEnded,
    Started,
)
from aimon_local.model.rows import Change
from tests.support.ledger import usage_row

KEY = {"id": "k-1", "key": "sesame", "consumer": {"id": "c-1"}}


def test_every_kind_is_json_and_can_be_asked_for():
    events = [
        RequestEnded(usage_row(1)), ConfigChanged.of(1, [Change("put", "keyauth_credentials", KEY)]),
        LedgerState(1, "full", None), Started(1, "9.9", 7),
        GuardSpoke(1, "id", "bot", "repeat", "deny", 10, 10, False, "r1"),
        ApprovalChanged(1, Question("ask-1", 1, "c", "bot", "soft", "cost/day", 5, 5, 1, 1, "r1")),
        ClockMoved(1, 1, 0, 1, "reset", "", "admin"), LabMoved(1, "article", 2, 15, "Lock it", 0, None, None),
        AlertRaised(Alert("a", "firing", 1, "reached", "c", "bob", "free", "requests/day", 80, 10, 8, 99, "r1")),
    ]  # fmt: skip
    assert [event.kind for event in events] == list(KINDS)
    for event in [*events, Gap(1, 5, "overrun", 3)]:
        assert json.loads(json.dumps(event.facts())).keys() == event.facts().keys()


def test_a_request_is_its_row():
    assert RequestEnded(usage_row(7)).facts() == {**usage_row(7)._asdict(), "ai": None}
    ai = AiRecord("openai.chat", "free", "m", None, True, 1, 2, 3, 4, flags=("odd",))
    facts = json.loads(json.dumps(RequestEnded(usage_row(7), ai).facts()))
    assert (facts["ai"]["model"], facts["ai"]["flags"], facts["request_id"]) == ("m", ["odd"], usage_row(7).request_id)


def test_a_change_names_its_entity_and_holds_nothing_of_it():
    event = ConfigChanged.of(
        1,
        [
            Change("put", "keyauth_credentials", KEY),
            Change("put", "basicauth_credentials", {"id": "b-1", "username": "ann", "password": "sesame"}),
            Change("delete", "services", {"id": "s-1", "name": "s", "url": "http://sesame"}),
            Change("put", "acls", {"id": "a-1", "group": "g"}),
            Change("put", "consumers", {"id": "c-1", "username": None, "custom_id": "x"}),
        ],
    )
    assert "sesame" not in json.dumps(event.facts())
    assert [(each.op, each.kind, each.id, each.name) for each in event.changes] == [
        ("put", "keyauth_credentials", "k-1", None), ("put", "basicauth_credentials", "b-1", "ann"),
        ("delete", "services", "s-1", "s"), ("put", "acls", "a-1", "g"), ("put", "consumers", "c-1", "x"),
    ]  # fmt: skip
    assert event.more == 0


def test_a_large_document_is_counted_not_listed():
    event = ConfigChanged.of(1, [Change("put", "services", {"id": str(at), "name": "s"}) for at in range(250)])
    assert (len(event.changes), event.more) == (MOST_CHANGES, 250 - MOST_CHANGES)
