"""Arguments that the ledger's views share; their refusals are proved by what each view answers."""

from aimon_local.gateway.admin.ask import Reply
from aimon_local.gateway.admin.span import Span, Whose, whole


def test_what_an_answer_shows():
    assert Span().shown() == {}
    assert Span(0, None).shown() == {"since": "1970-01-01T00:00:00Z"}
    assert Span(None, 1).shown() == {"until": "1970-01-01T00:00:00.000000001Z"}
    assert Whose("gone").shown() is None
    assert Whose("c", {"id": "c", "username": None, "custom_id": "x"}).shown() == {"id": "c", "username": None}


def test_whole_numbers():
    assert whole("n", None) is None
    assert whole("n", "0") == 0
    assert whole("n", "007") == 7
    assert whole("n", str((1 << 62) - 1)) == (1 << 62) - 1
    for text in ("", "-0", "+1", " 1", "1 ", "0x1", "\u00b2", str(1 << 62), "9" * 5000):
        refused = whole("n", text)
        assert isinstance(refused, Reply)
        assert refused.status == 400
