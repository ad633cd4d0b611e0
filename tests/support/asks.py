"""A request to the built-in httpbin without a socket, for tests of its endpoints."""

from aimon_local.mock.httpbin import dispatch
from aimon_local.mock.httpbin.ask import read


def ask(target, method="GET", fields=(), body=b"", world=None):
    """The reply to a request for a target."""
    path, _, query = target.partition("?")
    return dispatch.answer(read(method, path, query, [("Host", "h:5000"), *fields], body, world=world))


def sent(reply):
    """The bytes of a reply, its pauses left out."""
    return b"".join(part for part in reply.body if isinstance(part, bytes))


def field(reply, name):
    """The last value of a field."""
    return dict(reply.fields).get(name)
