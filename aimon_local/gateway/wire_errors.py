"""What the wire refuses by itself (a broken head, one that is too large, a slow sender), in Kong's pages."""

from typing import TYPE_CHECKING

from aimon_local.gateway import pages
from aimon_local.gateway.reply import date_line
from aimon_local.wire.message import RequestHead
from aimon_local.wire.shared import RenderError

if TYPE_CHECKING:
    from aimon_local.gateway.runtime import Runtime


def wire_error(runtime: "Runtime") -> RenderError:
    """The renderer of one proxy."""

    def render(status: int, message: str, head: RequestHead | None) -> tuple[list[bytes], bytes]:
        fields = head.fields if head is not None else []
        accept = [value for name, value, _ in fields if name == b"accept"]
        content_type = next((value for name, value, _ in fields if name == b"content-type"), None)
        now_ns = runtime.clock.now_ns()
        request_id = runtime.request_id(now_ns)
        kind, body = pages.page(pages.failure_form(accept, content_type), message, request_id)
        lines = [
            b"Content-Type: " + kind,
            b"Server: " + runtime.product,
            date_line(now_ns // 1_000_000_000),
            b"X-Kong-Response-Latency: 0",
            b"X-Kong-Request-Id: " + request_id.encode(),
        ]
        return lines, body

    return render
