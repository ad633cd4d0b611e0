import pytest

from aimon_local.model.entities.routes import ROUTES
from aimon_local.model.validate import process
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds


def make(**data):
    found = process(ROUTES, data, mode="insert", now=NOW, ids=CountingIds())
    return found.body["fields"] if isinstance(found, Violation) else found


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"methods": ["get"]}, {"methods": ["invalid value: get"]}),
        ({"hosts": ["*.a.*"]}, {"hosts": ["invalid wildcard: must have at most one wildcard"]}),
        ({"hosts": ["a.*.b"]}, {"hosts": ["invalid wildcard: must be placed at leftmost or rightmost label"]}),
        ({"hosts": ["a b"]}, {"hosts": ["invalid hostname: a b"]}),
        ({"paths": ["a"]}, {"paths": ["should start with: / (fixed path) or ~/ (regex path)"]}),
        ({"paths": ["/a//b"]}, {"paths": ["must not have empty segments"]}),
        ({"paths": ["/a", "/a/../b"]}, {"paths": [None, "non-normalized path, consider use '/b' instead"]}),
        ({"paths": ["/a%2"]}, {"paths": ["invalid url-encoded value: '%2'"]}),
        (
            {"headers": {"host": ["a"]}},
            {"headers": "cannot contain 'host' header, which must be specified in the 'hosts' attribute"},
        ),
        (
            {"paths": ["/a"], "sources": [{"port": 1}]},
            {"sources": "cannot set 'sources' when 'protocols' is 'http' or 'https'"},
        ),
        (
            {"protocols": ["http"], "snis": ["a.test"]},
            {
                "@entity": [
                    "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
                    "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
                ],
                "snis": "length must be 0",
            },
        ),
        (
            {"protocols": ["tcp"], "sources": [{}]},
            {"sources": [{"@entity": ["at least one of these fields must be non-empty: 'ip', 'port'"]}]},
        ),
        (
            {"paths": ["/a"], "https_redirect_status_code": 200},
            {"https_redirect_status_code": "expected one of: 426, 301, 302, 307, 308"},
        ),
    ],
)
def test_refusals(data, fields):
    assert make(**data) == fields


@pytest.mark.parametrize(
    "data",
    [
        {"snis": ["*.a.test"]},
        {"hosts": ["*.a.test", "a.*", "a.test:80"]},
        {"protocols": ["tcp"], "destinations": [{"ip": "10.0.0.0/8"}]},
        {"protocols": ["tls_passthrough"], "snis": ["a.test"]},
        {"protocols": ["grpc"], "paths": ["/pkg.Service/Method"]},
        {"paths": [r"~/(?<id>\d+)$"]},
        {"headers": {"x-a": ["~*v\\d"]}},
    ],
)
def test_acceptances(data):
    assert make(**data).keys() >= {"id", *data}
