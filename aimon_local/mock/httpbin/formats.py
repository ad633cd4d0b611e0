"""Endpoints with a fixed document or picture: /html, /xml, /json, /encoding/utf8, /image, /links and the like."""

import base64
import binascii

from aimon_local.mock.httpbin import images, texts
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.redirects import of_status
from aimon_local.mock.httpbin.reply import HTML, Reply, jsonify, redirect, typed

LINKS_MAX = 200


def html(_: Ask) -> Reply:
    """/html."""
    return typed(HTML, texts.HTML)


def xml(_: Ask) -> Reply:
    """/xml."""
    return typed("application/xml", texts.XML)


def json_page(_: Ask) -> Reply:
    """/json."""
    return jsonify(texts.SLIDES)


def robots(_: Ask) -> Reply:
    """/robots.txt."""
    return typed("text/plain", texts.ROBOTS)


def deny(_: Ask) -> Reply:
    """/deny: what robots.txt keeps robots from."""
    return typed("text/plain", texts.DENY)


def utf8(_: Ask) -> Reply:
    """/encoding/utf8."""
    return typed(HTML, texts.UTF8)


def form(_: Ask) -> Reply:
    """/forms/post."""
    return typed(HTML, texts.FORM)


def base64_text(_: Ask, value: str) -> Reply:
    """/base64/VALUE: base64url to text; a hint with 200 where it is none, as httpbin does."""
    try:
        return typed(HTML, base64.urlsafe_b64decode(value.encode()).decode("utf-8"))
    except (binascii.Error, ValueError):
        return typed(HTML, "Incorrect Base64 data; try: " + base64.urlsafe_b64encode(b"a key opens a gate").decode())


def links(_: Ask, n: int) -> Reply:
    """/links/N: leads to the first of its pages."""
    return redirect(f"/links/{n}/0")


def links_page(_: Ask, n: int, offset: int) -> Reply:
    """/links/N/OFFSET: N links (200 at most); the page's own number is no link."""
    count = min(max(1, n), LINKS_MAX)
    items = (f"{i} " if i == offset else f"<a href='/links/{count}/{i}'>{i}</a> " for i in range(count))
    return typed(HTML, f"<html><head><title>Links</title></head><body>{''.join(items)}</body></html>")


def png(_: Ask) -> Reply:
    """/image/png."""
    return typed("image/png", images.png())


def jpeg(_: Ask) -> Reply:
    """/image/jpeg."""
    return typed("image/jpeg", images.jpeg())


def webp(_: Ask) -> Reply:
    """/image/webp."""
    return typed("image/webp", images.webp())


def svg(_: Ask) -> Reply:
    """/image/svg."""
    return typed("image/svg+xml", images.svg())


# the first type that Accept names wins
BY_ACCEPT = (
    ("image/webp", webp),
    ("image/svg+xml", svg),
    ("image/jpeg", jpeg),
    ("image/png", png),
    ("image/*", png),
)


def image(ask: Ask) -> Reply:
    """/image: by Accept; 406 where it names none of ours (``*/*`` is no choice for httpbin either)."""
    accept = ask.header("Accept")
    if accept is None:
        return png(ask)
    for name, draw in BY_ACCEPT:
        if name in accept.lower():
            return draw(ask)
    return of_status(406)
