from aimon_local.model.entities.consumers import CONSUMER_GROUPS, CONSUMERS, MEMBERSHIPS
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds


def make(schema, **data):
    found = process(schema, data, mode="insert", now=NOW, ids=CountingIds())
    return found.body["fields"] if isinstance(found, Violation) else found


def test_a_consumer_has_a_name_of_some_kind():
    assert make(CONSUMERS, custom_id="x")["username"] is None
    assert make(CONSUMERS, username="a b/ü@x")["username"] == "a b/ü@x"
    assert make(CONSUMERS)["@entity"] == ["at least one of these fields must be non-empty: 'custom_id', 'username'"]


def test_a_group_has_a_name_for_paths():
    assert make(CONSUMER_GROUPS) == {"name": "required field missing"}
    assert make(CONSUMER_GROUPS, name="a b")["name"].startswith("invalid value 'a b'")


def test_a_membership_has_two_ends():
    assert make(MEMBERSHIPS) == {"consumer": "required field missing", "consumer_group": "required field missing"}
