"""Error pages: the form follows Accept, the text is escaped for its form."""

import json

import pytest

from aimon_local.gateway import pages

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "json"),
        ("text/html", "html"),
        ("text/*", "text"),
        ("application/*", "json"),
        ("image/png", "json"),
        ("", "json"),
        ("xml", "json"),
        ("TEXT/HTML", "json"),
        ("text/html;q=0", "json"),
        ("text/plain; charset=utf-8", "text"),
        ("application/xml;q=0.1, text/plain;q=0.2", "text"),
        ("text/html;q=0.5, application/json;q=0.9", "json"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "html"),
        ("application/grpc", "grpc"),
    ],
)
def test_form_follows_accept(accept, form):
    assert pages.form_for(accept) == form


def test_failure_without_accept_follows_the_content_type():
    assert pages.failure_form([], None) == "text"
    assert pages.failure_form([], b"application/json") == "json"
    assert pages.failure_form([b"text/html"], b"application/json") == "html"


def test_several_accept_fields_are_one_list():
    assert pages.refusal_form([b"text/plain", b"text/html"]) == "text"


def test_json_page_has_kongs_three_lines_and_stays_json():
    content_type, body = pages.page("json", "no Route matched with those values", ID)
    assert content_type == b"application/json; charset=utf-8"
    assert body.decode() == f'{{\n  "message":"no Route matched with those values",\n  "request_id":"{ID}"\n}}'
    assert json.loads(pages.page("json", 'say "no"\n', ID)[1])["message"] == 'say "no"\n'


def test_markup_is_escaped():
    assert b"&lt;b&gt;" in pages.page("html", "<b>", ID)[1]
    assert b"&lt;b&gt;" in pages.page("xml", "<b>", ID)[1]
    assert pages.page("grpc", "x", ID) == (b"", b"")
