"""Traffic as a script: the ledger's rows, or a HAR file, as a replay with their times, sizes and models. Pure.

Prompts are never in there: the ledger does not keep them, and of a HAR file only their size is taken. What can't be
told from a row (headers, paths below a route) is not made up.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aimon_local.errors import ConfigError
from aimon_local.scenario.bodies import DIALECTS

Recording = dict[str, list[dict[str, Any]]]  # calls by actor
_TOKEN = 4  # characters, where a size is all that is known of a prompt


def from_rows(rows: Iterable[Mapping[str, Any]]) -> Recording:
    """Rows of ``GET /requests``, in any order: an actor for each consumer."""
    ordered = sorted(rows, key=lambda row: int(row["at_ns"]))
    first = ordered[0]["at_ns"] if ordered else 0
    out: Recording = {}
    for row in ordered:
        call = {"at": round((row["at_ns"] - first) / 1e9, 3), **_call(row)}
        out.setdefault(row["consumer"] or "anonymous", []).append(call)
    return out


def _call(row: Mapping[str, Any]) -> dict[str, Any]:
    ai = row.get("ai")
    if not ai or ai["dialect"] not in DIALECTS:
        return {"method": row["method"], "path": "/anything"}
    tokens = ai["input"] + ai["cache_read"] + ai["cache_write"] or ai["estimate"]
    call = {"model": ai["model"], "dialect": ai["dialect"], "prompt_tokens": max(1, tokens)}
    if ai["reserved_output"]:
        call["max_tokens"] = ai["reserved_output"]
    if ai["output"] + ai["reasoning"]:
        call["mock"] = {"output_tokens": ai["output"] + ai["reasoning"]}
    return {**call, "stream": True} if ai["stream"] else call


def from_har(text: str, name: str) -> Recording:
    """The entries of a HAR 1.2 file as one actor; ConfigError: it is none."""
    try:
        entries = json.loads(text)["log"]["entries"]
        timed = [(_when(entry["startedDateTime"]), entry["request"]) for entry in entries]
        timed.sort(key=lambda pair: pair[0])
    except (ValueError, KeyError, TypeError) as fault:
        raise ConfigError(f"{name} is no HAR file: {fault!r}", "browsers save one from their network view") from fault
    first = timed[0][0] if timed else 0.0
    return {"har": [{"at": round(at - first, 3), **_asked(request)} for at, request in timed]} if timed else {}


def _when(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    parts = urlsplit(request["url"])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    dialect = next((name for name, end in DIALECTS.items() if parts.path.endswith(end)), "")
    posted = (request.get("postData") or {}).get("text") or ""
    try:
        body = json.loads(posted) if dialect else {}
    except ValueError:
        body = {}
    if not dialect or not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return {"method": request["method"], "path": path}
    said = json.dumps(body.get("messages") or body.get("input") or body.get("prompt") or "", ensure_ascii=False)
    call = {"model": body["model"], "dialect": dialect, "prompt_tokens": max(1, len(said) // _TOKEN)}
    most = next((body[key] for key in ("max_completion_tokens", "max_tokens", "max_output_tokens") if body.get(key)), 0)
    if isinstance(most, int) and most > 0:
        call["max_tokens"] = most
    return {**call, "stream": True} if body.get("stream") is True else call


def as_script(recording: Recording, about: str, prices: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A script's document: each actor replays its calls; ``prices``: lines of the price book that it needs."""
    actors = {_word(name): {"executor": "replay", "calls": calls} for name, calls in recording.items()}
    total = sum(len(calls) for calls in recording.values())
    document: dict[str, Any] = {"about": about, "thresholds": {"requests": f"count=={total}", "unrecorded": "count==0"}}
    if prices:
        document["model_prices"] = [dict(line) for line in prices]
    return {**document, "actors": actors}


def _word(name: str) -> str:
    """A consumer's name as one that a consumer made for a run can have."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.~") else "-" for c in name)
