"""All endpoints in one table: methods, path, function, and one line for people. ``dispatch`` and ``/`` read it.

In a path ``{name}`` is one segment, ``{name:int}`` a number, ``{name:path}`` the rest. GET brings HEAD with it; OPTIONS
is answered everywhere.

To add an endpoint: a function (Ask, the path's parts) → Reply in the module of its theme, and one line here.
"""

from collections.abc import Callable
from html import escape

from aimon_local.mock.httpbin import auth, caching, dynamic, formats, inspection, redirects
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.reply import HTML, Reply, jsonify, typed

Endpoint = Callable[..., Reply]
Row = tuple[str, str, Endpoint, str]

ANY = "GET POST PUT DELETE PATCH TRACE"


def index(_: Ask) -> Reply:
    """/: this table as a page."""
    rows = "\n".join(
        f"<tr><td>{methods}</td><td><code>{_linked(methods, path)}</code></td><td>{escape(doc)}</td></tr>"
        for methods, path, _, doc in TABLE
    )
    return typed(
        HTML,
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>httpbin of aimon-local</title></head>\n'
        "<body>\n<h1>The built-in upstream</h1>\n"
        "<p>Answers as httpbin does, for the gateway to have something behind it.</p>\n"
        f"<table>\n<tr><th>Methods</th><th>Path</th><th>What it does</th></tr>\n{rows}\n</table>\n</body></html>\n",
    )


def _linked(methods: str, path: str) -> str:
    shown = escape(path)
    return f'<a href="{shown}">{shown}</a>' if "{" not in path and "GET" in methods else shown


def stats(ask: Ask) -> Reply:
    """/_mock/stats."""
    return jsonify(ask.world.tally.report())


def stats_clear(ask: Ask) -> Reply:
    """/_mock/stats, DELETE."""
    ask.world.tally.clear()
    return Reply(204)


TABLE: tuple[Row, ...] = (
    ("GET", "/", index, "this list"),
    # what was asked
    ("GET", "/get", inspection.get, "echoes URL, query and fields of a GET"),
    ("POST", "/post", inspection.echo, "echoes a POST with its form, files, JSON or data"),
    ("PUT", "/put", inspection.echo, "echoes a PUT"),
    ("PATCH", "/patch", inspection.echo, "echoes a PATCH"),
    ("DELETE", "/delete", inspection.echo, "echoes a DELETE"),
    (ANY, "/anything", inspection.anything, "echoes any request, its method too"),
    (ANY, "/anything/{rest:path}", inspection.anything, "echoes any request under this path"),
    ("GET", "/headers", inspection.headers, "the request's fields"),
    ("GET", "/ip", inspection.ip, "where the request came from"),
    ("GET", "/user-agent", inspection.user_agent, "the User-Agent field"),
    # cookies
    ("GET", "/cookies", inspection.cookies, "the cookies that came"),
    ("GET", "/cookies/set", inspection.cookies_set, "sets cookies from ?NAME=VALUE, then leads to /cookies"),
    ("GET", "/cookies/set/{name}/{value}", inspection.cookies_set_one, "sets one cookie, then leads to /cookies"),
    ("GET", "/cookies/delete", inspection.cookies_delete, "deletes the cookies named in ?NAME, then leads to /cookies"),
    # who is there
    ("GET", "/basic-auth/{user}/{password}", auth.basic, "basic authentication: 200 or a challenge"),
    ("GET", "/hidden-basic-auth/{user}/{password}", auth.hidden_basic, "basic authentication: 200 or 404"),
    ("GET", "/bearer", auth.bearer, "bearer authentication: any token is good"),
    ("GET", "/digest-auth/{qop}/{user}/{password}", auth.digest, "digest authentication (qop auth, auth-int or both)"),
    ("GET", "/digest-auth/{qop}/{user}/{password}/{algorithm}", auth.digest, "digest by MD5, SHA-256 or SHA-512"),
    (
        "GET",
        "/digest-auth/{qop}/{user}/{password}/{algorithm}/{stale_after}",
        auth.digest,
        "digest whose nonce is stale after so many uses",
    ),
    # elsewhere, and statuses
    ("GET", "/redirect/{n:int}", redirects.redirect_n, "redirects N times, then to /get (?absolute=true)"),
    ("GET", "/relative-redirect/{n:int}", redirects.relative, "redirects N times by relative Locations"),
    ("GET", "/absolute-redirect/{n:int}", redirects.absolute, "redirects N times by absolute Locations"),
    (ANY, "/redirect-to", redirects.redirect_to, "redirects to ?url=, with ?status_code="),
    (ANY, "/status/{codes}", redirects.status, "answers with a code, or one of CODE:WEIGHT,CODE:WEIGHT"),
    # slowly, or by chance
    ("GET", "/uuid", dynamic.uuid4, "a random UUID"),
    ("GET", "/stream/{n:int}", inspection.stream, "N lines of JSON, streamed"),
    ("GET", "/bytes/{n:int}", dynamic.random_bytes, "N random bytes (?seed=)"),
    ("GET", "/stream-bytes/{n:int}", dynamic.stream_bytes, "N random bytes, streamed (?seed=, ?chunk_size=)"),
    ("GET", "/range/{n:int}", dynamic.byte_range, "N bytes that can be asked for by Range (?duration=, ?chunk_size=)"),
    ("GET", "/drip", dynamic.drip, "bytes over a time: ?duration=, ?numbytes=, ?code=, ?delay="),
    (ANY, "/delay/{seconds}", dynamic.delay, "answers after so many seconds, 10 at most"),
    # fields of the answer
    ("GET POST", "/response-headers", caching.response_headers, "the answer carries the fields of ?NAME=VALUE"),
    ("GET", "/etag/{tag}", caching.etag, "has this entity tag: If-Match, If-None-Match"),
    ("GET", "/cache", caching.cache, "304 to a conditional request"),
    ("GET", "/cache/{seconds:int}", caching.cache_for, "may be cached for so many seconds"),
    # documents
    ("GET", "/gzip", inspection.gzip, "an echo, compressed by gzip"),
    ("GET", "/deflate", inspection.deflate, "an echo, compressed by deflate"),
    ("GET", "/brotli", inspection.brotli, "an echo, compressed by brotli where that is installed"),
    ("GET", "/html", formats.html, "an HTML page"),
    ("GET", "/json", formats.json_page, "a JSON document"),
    ("GET", "/xml", formats.xml, "an XML document"),
    ("GET", "/encoding/utf8", formats.utf8, "a page in many scripts, UTF-8"),
    ("GET", "/robots.txt", formats.robots, "rules for robots"),
    ("GET", "/deny", formats.deny, "what those rules deny"),
    ("GET", "/forms/post", formats.form, "a form that posts to /post"),
    ("GET", "/base64/{value}", formats.base64_text, "decodes base64url"),
    ("GET", "/links/{n:int}", formats.links, "leads to the first of N pages of links"),
    ("GET", "/links/{n:int}/{offset:int}", formats.links_page, "a page of N links"),
    ("GET", "/image", formats.image, "a picture by Accept"),
    ("GET", "/image/png", formats.png, "a PNG"),
    ("GET", "/image/jpeg", formats.jpeg, "a JPEG"),
    ("GET", "/image/webp", formats.webp, "a WebP"),
    ("GET", "/image/svg", formats.svg, "an SVG"),
    # ours
    ("GET", "/_mock/stats", stats, "requests served so far, by path and status"),
    ("DELETE", "/_mock/stats", stats_clear, "starts that count anew"),
)
