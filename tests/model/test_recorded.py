"""Exchanges recorded from a real Kong, played against the catalog alone."""

from pathlib import Path

import pytest

from tests.support.admin_stories import Admin, load, play
from tests.support.plugin_tables import PLUGIN_SCHEMAS

RECORDED = Path(__file__).parent / "recorded"
SKIPPED = {
    # Descriptions in this one exchange are Kong's prose; ours are our own words.
    "schemas-validate": {("GET", "/schemas/plugins")},
    # Its body carries the id of the HTTP request, which no catalog knows.
    "credentials-basic-acl-jwt": {("DELETE", "/consumers/kt-cr/acls/kt-grp2")},
}


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_answers_as_recorded(name):
    differences = play(load(RECORDED / f"{name}.json"), Admin(PLUGIN_SCHEMAS), SKIPPED.get(name, ()))
    assert not differences, "\n".join(differences)
