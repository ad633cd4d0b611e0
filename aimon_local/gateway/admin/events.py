"""``GET /events``: the gateway's events as they happen, as server-sent events. Our own, beside Kong's API."""

from aimon_local.gateway.admin.ask import Ask, Reply, message
from aimon_local.gateway.admin.span import number, whole
from aimon_local.gateway.events import stream
from aimon_local.model.event import KINDS

_FIELDS = (("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no"))


def show(ask: Ask) -> Reply:
    """Events from now on; or behind ``Last-Event-ID`` or ``after``. ``kinds``: some of them, by comma.

    A client that comes back by itself repeats its address and sends Last-Event-ID, so that one wins.
    """
    after = number(ask, "after")
    last = whole("Last-Event-ID", ask.request.get("last-event-id") or None)
    if isinstance(last, Reply):
        return last
    if isinstance(after, Reply):
        return after
    wanted = ask.query.first("kinds")
    kinds = KINDS if wanted is None else tuple(word for word in wanted.split(",") if word)
    unknown = next((word for word in kinds if word not in KINDS), None)
    if unknown is not None or not kinds:
        return message(400, f"kinds must be some of {', '.join(KINDS)}, by comma, not {unknown or ''!r}")
    body = stream(ask.context.events, after if last is None else last, kinds)
    return Reply(200, body, "text/event-stream", _FIELDS)
