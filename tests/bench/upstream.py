"""The upstream where no nginx is installed: answers each request with 615 bytes, as fast as a plain Protocol can.

python -m tests.bench.upstream PORT
"""

import asyncio
import sys
from typing import cast

_BODY = b'{"id":"%b","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"'
_REST = b'"}}],"usage":{"prompt_tokens":80,"completion_tokens":90,"total_tokens":170}}'
SIZE = 615


class Upstream(asyncio.Protocol):
    """One connection: a request is over when its declared length is here."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            _, found, length = head.partition(b"content-length: ")
            size = end + 4 + (int(length.split(b"\r\n", 1)[0]) if found else 0)
            if len(self.buffer) < size:
                return
            self.buffer = self.buffer[size:]
            self.transport.write(answer(head))


def answer(head: bytes) -> bytes:
    """The answer to a head: it carries the request's own id, so no two are the same."""
    wanted = head.partition(b"\r\nx-request-id: ")[2].split(b"\r\n", 1)[0]
    start = _BODY % wanted
    body = start + b"x" * (SIZE - len(start) - len(_REST)) + _REST
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
