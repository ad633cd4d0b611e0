"""One POST to a receiver outside, and what its answer means. Blocking: for a thread. Addresses are checked first.

Whoever sends decides what and when; ``exports.usage.delivery`` judges the answers. A receiver's bearer token comes from
an environment variable, never from the address.
"""

import http.client
import os
import random
from urllib.parse import SplitResult, urlsplit

from aimon_local.errors import StartError
from aimon_local.exports.usage.delivery import Outcome, judge

_TIMEOUT_S = 30.0


def checked(setting: str, url: str, token: str) -> SplitResult:
    """A receiver's URL taken apart; raises StartError for one that can't be one. ``token``: the variable's name."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        hint = f"give http://… or https://…, and a token in the environment: {token}"
        raise StartError(f"{setting}: {url!r} is no address of a sink", hint)
    return parts


def named(url: SplitResult) -> str:
    """The address as it may be shown: without its query, which may hold secrets."""
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{url.hostname}{port}{url.path}"


def post(url: SplitResult, body: bytes, media: str, token: str, failures: int) -> Outcome:
    """One try; ``failures``: how many in a row failed before it."""
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=_TIMEOUT_S)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    secret = os.environ.get(token)
    bearer = {"Authorization": f"Bearer {secret}"} if secret else {}
    try:
        connection.request("POST", target, body, {"Content-Type": media, **bearer})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as fault:
        return judge(None, None, failures, random.random(), str(fault) or type(fault).__name__)
    finally:
        connection.close()
    return judge(answer.status, answer.getheader("Retry-After"), failures, random.random())
