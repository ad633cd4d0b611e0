"""Endpoints that say what they were asked: /get, /post, /anything, /headers, /ip, /user-agent, /cookies and their kin.

Pure functions of an Ask. JSON has httpbin's members; keys are sorted when it is written.
"""

import gzip as gzip_codec
import importlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

from aimon_local.mock.httpbin import cookie
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.form import Upload, flat, json_or_none, json_safe
from aimon_local.mock.httpbin.reply import JSON, TEXT, Reply, dump, jsonify, redirect, refuse, typed

# fields that a hosting platform adds; shown only with ``?show_env``
PLATFORM_FIELDS = frozenset(
    {
        "Connect-Time", "Total-Route-Time", "Via", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto",
        "X-Forwarded-Protocol", "X-Forwarded-Ssl", "X-Heroku-Dynos-In-Use", "X-Heroku-Queue-Depth",
        "X-Heroku-Queue-Wait-Time", "X-Real-Ip", "X-Request-Id", "X-Request-Start", "X-Varnish",
    }
)  # fmt: skip
# cookies of page counters, hidden likewise
PLATFORM_COOKIES = frozenset(
    {
        "_gauges_unique",
        "__utma",
        "__utmb",
        "__utmz",
        *(f"_gauges_unique_{span}" for span in ("day", "hour", "month", "year")),
    }
)
STREAM_MAX = 100
BROTLI_MODULES = ("brotli", "brotlicffi")


def shown_headers(ask: Ask) -> dict[str, str]:
    """The request's fields without those of a hosting platform."""
    if "show_env" in ask.args:
        return ask.headers
    return {name: value for name, value in ask.headers.items() if name not in PLATFORM_FIELDS}


def seen(ask: Ask) -> dict[str, Any]:
    """What every echo holds: url, args, headers, origin (in this order, which /stream shows)."""
    return {"url": ask.url, "args": flat(ask.args), "headers": shown_headers(ask), "origin": ask.origin}


def seen_body(ask: Ask) -> dict[str, Any]:
    """What was sent, decoded: data, form, files."""
    body = ask.decoded()
    return {"data": json_safe(body.data), "form": flat(body.form), "files": _first_of_each(body.files)}


def seen_json(ask: Ask) -> Any:
    """The body as JSON, or None."""
    return json_or_none(ask.decoded().data)


def _first_of_each(files: tuple[Upload, ...]) -> dict[str, str]:
    """The first file of each name, as httpbin shows them."""
    found: dict[str, str] = {}
    for file in files:
        found.setdefault(file.name, json_safe(file.content, file.content_type))
    return found


def get(ask: Ask) -> Reply:
    """/get, and the 200 of the caching endpoints."""
    return jsonify(seen(ask))


def echo(ask: Ask) -> Reply:
    """/post, /put, /patch, /delete: the request with its body."""
    return jsonify(seen(ask) | seen_body(ask) | {"json": seen_json(ask)})


def anything(ask: Ask, rest: str = "") -> Reply:
    """/anything: the request, its method and its body."""
    return jsonify(seen(ask) | seen_body(ask) | {"json": seen_json(ask), "method": ask.method})


def headers(ask: Ask) -> Reply:
    """/headers."""
    return jsonify({"headers": shown_headers(ask)})


def ip(ask: Ask) -> Reply:
    """/ip."""
    return jsonify({"origin": ask.origin})


def user_agent(ask: Ask) -> Reply:
    """/user-agent; null without one."""
    return jsonify({"user-agent": ask.header("User-Agent")})


def _coded(ask: Ask, flag: str) -> bytes:
    """The body of the compressed endpoints before compression."""
    shown = {"origin": ask.origin, "headers": shown_headers(ask), "method": ask.method, flag: True}
    return dump(shown)


def gzip(ask: Ask) -> Reply:
    """/gzip."""
    packed = gzip_codec.compress(_coded(ask, "gzipped"), 4, mtime=0)
    return typed(JSON, packed).add(("Content-Encoding", "gzip"))


def deflate(ask: Ask) -> Reply:
    """/deflate: the zlib format, as RFC 9110 means by the name."""
    return typed(JSON, zlib.compress(_coded(ask, "deflated"))).add(("Content-Encoding", "deflate"))


def brotli(ask: Ask) -> Reply:
    """/brotli: needs a module that aimon-local does not bring along; 501 without one."""
    codec = _brotli_codec()
    if codec is None:
        return typed(TEXT, "brotli needs the Python package 'brotli' (or 'brotlicffi') beside aimon-local\n", 501)
    return typed(JSON, codec.compress(_coded(ask, "brotli"))).add(("Content-Encoding", "br"))


def _brotli_codec() -> Any:
    for name in BROTLI_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def stream(ask: Ask, n: int) -> Reply:
    """/stream/N: N lines of JSON (100 at most), each with its number."""
    base = seen(ask)

    def lines() -> Iterator[bytes]:
        for number in range(min(n, STREAM_MAX)):
            yield json.dumps(base | {"id": number}).encode() + b"\n"

    return Reply(200, lines(), (("Content-Type", JSON),))


def cookies(ask: Ask) -> Reply:
    """/cookies."""
    found = cookie.parse(ask.header("Cookie") or "")
    if "show_env" not in ask.args:
        found = {name: value for name, value in found.items() if name not in PLATFORM_COOKIES}
    return jsonify({"cookies": found})


def cookies_set(ask: Ask) -> Reply:
    """/cookies/set?NAME=VALUE: stores the first value of each name."""
    return _set_all({name: values[0] for name, values in ask.args.items()})


def cookies_set_one(ask: Ask, name: str, value: str) -> Reply:
    """/cookies/set/NAME/VALUE."""
    return _set_all({name: value})


def _set_all(values: dict[str, str]) -> Reply:
    if not all(cookie.usable(name) for name in values):
        return refuse("a cookie's name can't be empty or hold controls or semicolons")
    return redirect("/cookies").add(*(cookie.setting(name, value) for name, value in values.items()))


def cookies_delete(ask: Ask) -> Reply:
    """/cookies/delete?NAME: forgets each name."""
    if not all(cookie.usable(name) for name in ask.args):
        return refuse("a cookie's name can't be empty or hold controls or semicolons")
    return redirect("/cookies").add(*(cookie.deleting(name) for name in ask.args))
