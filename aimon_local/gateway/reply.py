"""The heads of answers: the fields of the upstream's or our own, and what Kong adds. Pure: lists of lines."""

from aimon_local.gateway import pages
from aimon_local.policy.call import Answer, Call, Refuse, ResponseDraft, header
from aimon_local.wire.message import Header

Latencies = tuple[int, int, int]  # milliseconds: proxy, upstream, all


def own_draft(call: Call, stop: Refuse | Answer) -> tuple[ResponseDraft, bytes]:
    """The draft and body of an answer that the gateway makes."""
    if isinstance(stop, Refuse):
        accept = call.get_all(b"accept")
        form = pages.failure_form(accept, call.get(b"content-type")) if stop.failure else pages.refusal_form(accept)
        content_type, body = pages.page(form, stop.message, call.request_id)
    else:
        content_type, body = stop.content_type or b"", stop.body
    fields: list[Header] = []
    if content_type or isinstance(stop, Refuse):
        fields.append(header("Content-Type", content_type))
    fields += [header(name.decode("latin-1"), value) for name, value in stop.fields]
    return ResponseDraft(stop.status, fields, False), body


def own_lines(call: Call, stop: Refuse | Answer, draft: ResponseDraft, product: bytes, spent: Latencies) -> list[bytes]:
    """The lines of an answer that the gateway makes; a failed or cached one carries the marks of a proxied one."""
    lines = _merged(call, draft.fields)
    if not any(name == b"server" for name, _, _ in draft.fields):
        lines.append(b"Server: " + product)
    if stop.proxied:
        lines.append(
            b"X-Kong-Upstream-Latency: %d\r\nX-Kong-Proxy-Latency: %d\r\nVia: 1.1 %b" % (*spent[1::-1], product)
        )
    else:
        lines.append(b"X-Kong-Response-Latency: %d" % spent[2])
    lines.append(b"X-Kong-Request-Id: " + call.request_id.encode())
    return lines


def proxied_lines(call: Call, draft: ResponseDraft, product: bytes, spent: Latencies) -> list[bytes]:
    """The lines of the upstream's answer."""
    via = b"1.1 " + product
    served = False
    for name, value, _ in draft.fields:
        if name == b"via":
            via = value + b", " + via
        elif name == b"server":
            served = True
    lines = _merged(call, draft.fields)
    if not served:
        lines.append(b"Server: " + product)
    lines.append(b"X-Kong-Upstream-Latency: %d" % spent[1])
    lines.append(b"X-Kong-Proxy-Latency: %d" % spent[0])
    lines.append(b"Via: " + via)
    lines.append(b"X-Kong-Request-Id: " + call.request_id.encode())
    return lines


# Ours, and not the upstream's to set.
_OURS = frozenset(
    (b"via", b"x-kong-request-id", b"x-kong-upstream-latency", b"x-kong-proxy-latency", b"x-kong-response-latency")
)


def _merged(call: Call, fields: list[Header]) -> list[bytes]:
    """Field lines, those that a rule has set in place of the upstream's of the same name."""
    ruled = call.reply_fields
    if not ruled:
        return [line for name, _, line in fields if name not in _OURS]
    hidden = _OURS.union([name.lower() for name, _ in ruled])
    lines = [line for name, _, line in fields if name not in hidden]
    lines += [b"%b: %b" % pair for pair in ruled]
    return lines
