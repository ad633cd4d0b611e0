"""The heads of answers: the fields of the upstream's or our own, and what Kong adds. Pure: lists of lines."""

from functools import lru_cache

from aimon_local.gateway import pages
from aimon_local.metering.dialects import provider_for
from aimon_local.model.moment import SECOND, http_date, rfc3339
from aimon_local.policy import ai_refusals
from aimon_local.policy.call import Answer, Call, Refuse, ResponseDraft, header
from aimon_local.wire.message import Header

Latencies = tuple[int, int, int]  # milliseconds: proxy, upstream, all


def own_draft(call: Call, stop: Refuse | Answer) -> tuple[ResponseDraft, bytes]:
    """The draft and body of an answer that the gateway makes."""
    shaped = _in_dialect(call, stop) if isinstance(stop, Refuse) and call.snapshot.tiering else None
    if shaped is not None:
        stop = shaped
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


def _in_dialect(call: Call, stop: Refuse) -> Answer | None:
    """A refusal of an AI call in its provider's words, where tiers are defined; without any, all is as in Kong."""
    provider = provider_for(call.method, call.path)
    return None if provider is None or call.match is None else ai_refusals.reshaped(provider, stop, call.request_id)


def own_lines(call: Call, stop: Refuse | Answer, draft: ResponseDraft, product: bytes, spent: Latencies) -> list[bytes]:
    """The lines of an answer that the gateway makes; a failed or cached one carries the marks of a proxied one."""
    lines = _merged(call, draft.fields)
    names = [name for name, _, _ in draft.fields]
    if b"server" not in names:
        lines.append(b"Server: " + product)
    if b"date" not in names:
        lines.append(_date(call, spent))
    if stop.proxied:
        lines += _marks(spent, b"1.1 " + product)
    else:
        lines.append(b"X-Kong-Response-Latency: %d" % spent[2])
    lines.append(b"X-Kong-Request-Id: " + call.request_id.encode())
    return lines


def proxied_lines(call: Call, fields: list[Header], product: bytes, spent: Latencies) -> list[bytes]:
    """The lines of the upstream's answer."""
    names = [name for name, _, _ in fields]
    lines = _merged(call, fields)
    if b"server" not in names:
        lines.append(b"Server: " + product)
    if b"date" not in names:
        lines.append(_date(call, spent))
    via = b"1.1 " + product
    if b"via" in names:
        via = b", ".join([*(value for name, value, _ in fields if name == b"via"), via])
    lines += _marks(spent, via)
    lines.append(b"X-Kong-Request-Id: " + call.request_id.encode())
    return lines


def clock_line(now_ns: int, shift_ns: int) -> bytes:
    """What tells that the clock was moved: its time, and by how many seconds it is off real time."""
    return f"X-Aimon-Clock: {rfc3339(now_ns)}; shift={shift_ns / SECOND:.9g}".encode()


def _date(call: Call, spent: Latencies) -> bytes:
    """When the answer was made, for what says no date itself (RFC 9110 §6.6.1)."""
    return date_line((call.now_ns + spent[2] * 1_000_000) // 1_000_000_000)


@lru_cache(maxsize=4)
def date_line(second: int) -> bytes:
    """The Date field of a Unix second."""
    return b"Date: " + http_date(second).encode()


def _marks(spent: Latencies, via: bytes) -> tuple[bytes, bytes, bytes]:
    """What tells that an answer came from an upstream."""
    return b"X-Kong-Upstream-Latency: %d" % spent[1], b"X-Kong-Proxy-Latency: %d" % spent[0], b"Via: " + via


# Ours, and not the upstream's to set.
_OURS = frozenset(
    (b"via", b"x-kong-request-id", b"x-kong-upstream-latency", b"x-kong-proxy-latency", b"x-kong-response-latency")
)


_Names = tuple[bytes, ...] | frozenset[bytes]


class _Hidden(dict[tuple[_Names, _Names], frozenset[bytes]]):
    """Lower-case names that the fields of the rules and ours take the place of; worked out once per sets of names."""

    def __missing__(self, key: tuple[_Names, _Names]) -> frozenset[bytes]:
        hidden = _OURS.union(*([name.lower() for name in names] for names in key))
        if len(self) >= 256:
            self.clear()
        self[key] = hidden
        return hidden


_hidden = _Hidden()


# nginx, and so Kong, names the charset of a text that names none (its ``charset_types``); only without parameters.
_TEXTS = frozenset(
    (b"text/html", b"text/xml", b"text/plain", b"text/vnd.wap.wml", b"application/javascript", b"application/rss+xml")
)


def _lines(fields: list[Header], hidden: frozenset[bytes]) -> list[bytes]:
    """The lines of fields, texts with their charset."""
    for name, value, _ in fields:
        if name == b"content-type" and value.lower() in _TEXTS:
            return [line + _charset(*pair) for *pair, line in fields if pair[0] not in hidden]
    return [line for name, _, line in fields if name not in hidden]


def _charset(name: bytes, value: bytes) -> bytes:
    return b"; charset=UTF-8" if name == b"content-type" and value.lower() in _TEXTS else b""


def _merged(call: Call, fields: list[Header]) -> list[bytes]:
    """Field lines, those that a rule has set in place of the upstream's of the same name."""
    ruled, made = call.reply_fields, call.reply_lines
    if not ruled and made is None:
        return _lines(fields, _OURS)
    names = tuple([name for name, _ in ruled])
    lines = _lines(fields, _hidden[names, made.names if made is not None else ()])
    if ruled:
        lines += [name + b": " + value for name, value in ruled]
    if made is not None:
        lines += made.lines
    return lines
