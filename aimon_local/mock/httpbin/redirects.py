"""Endpoints that lead elsewhere, and /status, which answers with any code.

Pure functions of an Ask; the only chance is the choice among several status codes.
"""

import json
import math

from aimon_local.mock.httpbin import texts
from aimon_local.mock.httpbin.ask import Ask
from aimon_local.mock.httpbin.auth import BASIC_CHALLENGE
from aimon_local.mock.httpbin.form import Multi
from aimon_local.mock.httpbin.reply import JSON, Pairs, Reply, empty, redirect, refuse

IMAGE_TYPES = ("image/webp", "image/svg+xml", "image/jpeg", "image/png", "image/*")
NOT_ACCEPTABLE = json.dumps({"message": "Client did not request a supported media type.", "accept": IMAGE_TYPES})

_TO_REDIRECT: Pairs = (("Location", "/redirect/1"),)
# codes that say more than their number
SPECIAL: dict[int, tuple[bytes, Pairs]] = {
    **dict.fromkeys((301, 302, 303, 305, 307), (b"", _TO_REDIRECT)),
    304: (b"", ()),
    401: (b"", (BASIC_CHALLENGE,)),
    402: (texts.PAY.encode(), (("X-More-Info", "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.3"),)),
    406: (NOT_ACCEPTABLE.encode(), (("Content-Type", JSON),)),
    407: (b"", (("Proxy-Authenticate", 'Basic realm="Fake Realm"'),)),
    418: (texts.TEAPOT.encode(), (("X-More-Info", "https://www.rfc-editor.org/rfc/rfc2324"),)),
}


def of_status(code: int) -> Reply:
    """The answer that /status gives for a code."""
    body_and_fields = SPECIAL.get(code)
    return Reply(code, *body_and_fields) if body_and_fields else empty(code)


def status(ask: Ask, codes: str) -> Reply:
    """/status/CODES: one code, or several separated by commas, each with a weight after a colon (1 without)."""
    pieces = codes.split(",")
    try:
        choices = [_choice(piece) for piece in pieces] if len(pieces) > 1 else [(int(codes), 1.0)]
    except ValueError:
        return refuse_status()
    weights = [weight for _, weight in choices]
    if not all(200 <= code <= 999 for code, _ in choices) or not 0 < sum(weights) < math.inf or min(weights) < 0:
        return refuse_status()
    return of_status(ask.world.random.choices([code for code, _ in choices], weights)[0])


def refuse_status() -> Reply:
    """400: no code, or one that can't be a final answer's."""
    return refuse("Invalid status code")


def _choice(piece: str) -> tuple[int, float]:
    """``CODE`` or ``CODE:WEIGHT``; raises ValueError."""
    code, colon, weight = piece.partition(":")
    return int(code), float(weight) if colon else 1.0


def redirect_n(ask: Ask, n: int) -> Reply:
    """/redirect/N: relative Locations, absolute ones with ``?absolute=true``."""
    if _first(ask.args, "absolute").lower() == "true":
        return absolute(ask, n)
    if n < 1:
        return _refuse_zero()
    return redirect("/get" if n == 1 else f"/relative-redirect/{n - 1}")


def relative(ask: Ask, n: int) -> Reply:
    """/relative-redirect/N."""
    if n < 1:
        return _refuse_zero()
    return empty(302).add(("Location", "/get" if n == 1 else f"/relative-redirect/{n - 1}"))


def absolute(ask: Ask, n: int) -> Reply:
    """/absolute-redirect/N: Locations with scheme and host."""
    if n < 1:
        return _refuse_zero()
    return redirect(ask.base + ("/get" if n == 1 else f"/absolute-redirect/{n - 1}"))


def _refuse_zero() -> Reply:
    return refuse("the number of redirects must be positive")


def _first(args: Multi, name: str) -> str:
    return args[name][0] if name in args else ""


def redirect_to(ask: Ask) -> Reply:
    """/redirect-to?url=URL[&status_code=3xx]: 302 unless another redirection is named."""
    url, code = ask.arg("url", ""), ask.arg("status_code", "302")
    if not url or any(ord(char) < 0x20 or ord(char) == 0x7F for char in url):
        return refuse("url=… must name the target of the redirection")
    try:
        wanted = int(code)
    except ValueError:
        return refuse("status_code must be a number")
    return empty(wanted if 300 <= wanted < 400 else 302).add(("Location", _location(url)))


def _location(url: str) -> str:
    """A target with all but ASCII percent-encoded, ``%`` left as it is."""
    return "".join(c if "!" <= c <= "~" else "".join(f"%{byte:02X}" for byte in c.encode()) for c in url)
