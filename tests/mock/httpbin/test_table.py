"""The table's promises: each row documented, listed and reachable."""

import re

import pytest

from aimon_local.mock.httpbin.table import TABLE
from tests.support.asks import ask, field


def test_every_row_is_documented_and_listed():
    page = ask("/").body.decode()
    for methods, path, function, doc in TABLE:
        assert doc.strip(), path
        assert (function.__doc__ or "").strip(), path
        assert f"<td>{methods}</td>" in page
        assert path in page, path


def filled(path):
    parts = {"seconds": "0", "codes": "200", "n": "1", "offset": "0"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: parts.get(m[1], "x"), path)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[1])
def test_every_row_is_reachable_by_each_of_its_methods(row):
    methods, path, _, _ = row
    for method in methods.split():
        reply = ask(filled(path), method)
        assert reply.status not in {405, 500}, (method, path)
        assert reply.status != 404 or reply.body == b"", (method, path)  # hidden basic auth hides, but without our page
    allow = field(ask(filled(path), "OPTIONS"), "Allow").split(", ")
    assert {*methods.split(), "OPTIONS"} <= set(allow)
    assert ("HEAD" in allow) == ("GET" in allow)
