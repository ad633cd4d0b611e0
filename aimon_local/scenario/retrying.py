"""Whether a client sends again, and after how long. Pure; the chance is given.

``sdk`` does as the official Python clients of OpenAI and Anthropic do: ``x-should-retry`` goes before all, then 408,
409, 429, 5xx and lost connections; the wait is ``retry-after-ms`` or ``Retry-After`` where it is a minute at most, else
0.5 s · 2^n up to 8 s, less up to a quarter of it. ``storm`` sends again at once, whatever it is told.
"""

from collections.abc import Callable, Mapping

_MOST_TOLD = 60.0  # seconds; a longer wait is not the client's to sit out
_FIRST, _LONGEST = 0.5, 8.0
_AGAIN = (408, 409, 429)


def told(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait; None: it asks for nothing (dates are not read)."""
    for name, share in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * share)
        except (KeyError, ValueError):
            continue
    return None


def wait_of(client: str, status: int, headers: Mapping[str, str], attempt: int, chance: float) -> float | None:
    """Seconds to the next try after the try number ``attempt`` (0 first); None: no more. ``chance``: 0 to 1."""
    return _CLIENTS[client](status, headers, attempt, chance)


def _naive(status: int, headers: Mapping[str, str], attempt: int, chance: float) -> float | None:
    return None


def _storm(status: int, headers: Mapping[str, str], attempt: int, chance: float) -> float | None:
    return 0.0 if status in (0, 429) or status >= 500 else None


def _sdk(status: int, headers: Mapping[str, str], attempt: int, chance: float) -> float | None:
    word = headers.get("x-should-retry")
    if word == "false" or (word != "true" and status and status not in _AGAIN and status < 500):
        return None
    asked = told(headers)
    if asked is not None and 0 < asked <= _MOST_TOLD:
        return asked
    return min(_FIRST * 2.0**attempt, _LONGEST) * (1 - 0.25 * chance)


_CLIENTS: Mapping[str, Callable[[int, Mapping[str, str], int, float], float | None]] = {
    "naive": _naive,
    "sdk": _sdk,
    "storm": _storm,
}
