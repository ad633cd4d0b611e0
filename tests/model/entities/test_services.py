import pytest

from aimon_local.model.entities.services import SERVICES, expand_url
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://h", {"protocol": "http", "host": "h", "port": 80, "path": None}),
        ("https://h/", {"protocol": "https", "host": "h", "port": 443, "path": "/"}),
        ("https://h:1/a?b#c", {"protocol": "https", "host": "h", "port": 1, "path": "/a"}),
        ("http://u:p@h:2/a;b", {"protocol": "http", "host": "h", "port": 2, "path": "/a"}),
        ("tcp://h", {"protocol": "tcp", "host": "h", "path": None}),
        ("http://[::1]:80/x", {"protocol": "http", "host": "::1", "port": 80, "path": "/x"}),
        ("h.test", {"host": None, "path": "h.test"}),
        ("//h/x", {"host": "h", "path": "/x"}),
        ("http://", {"protocol": "http", "host": None, "port": 80, "path": None}),
        (None, {"protocol": "userdata", "host": None, "path": " NULL"}),
    ],
)
def test_urls_come_apart(url, parts):
    assert expand_url(url) == parts


def make(**data):
    found = process(SERVICES, data, mode="insert", now=NOW, ids=CountingIds())
    return found.body["fields"] if isinstance(found, Violation) else found


def test_only_tls_has_tls_settings():
    assert make(host="h", tls_verify=True) == {
        "tls_verify": "value must be null",
        "@entity": ["failed conditional validation given value of field 'protocol'"],
    }
    assert make(host="h", protocol="https", tls_verify=True, tls_verify_depth=3)["tls_verify_depth"] == 3


def test_only_http_has_a_path():
    assert make(host="h", protocol="tcp", path="/a")["path"] == "value must be null"


def test_authorities_are_ids():
    assert make(host="h", protocol="https", ca_certificates=["x"]) == {"ca_certificates": ["expected a valid UUID"]}
