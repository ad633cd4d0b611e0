"""A Call as the shell would make it, for tests of rules: no socket, a fixed clock, predictable tools."""

from types import SimpleNamespace

from aimon_local.policy.call import Call, ResponseDraft, header
from aimon_local.policy.rule import Scope
from aimon_local.policy.state import LimitState
from aimon_local.storage.batch import Batch

NOON = 1_700_049_600  # 2023-11-15T12:00:00Z


class FixedTools:
    """UUIDs that count up, and a node of a fixed name."""

    node_id, hostname = "00000000-0000-4000-8000-0000000000ff", "lab"

    def __init__(self):
        self.made = 0

    def uuid(self):
        self.made += 1
        return f"00000000-0000-4000-8000-{self.made:012d}"

    def verify_signature(self, algorithm, key, message, signature):
        raise AssertionError("no rule here checks signatures")


def make_call(method="GET", target="/", fields=(), **facts):
    """A call after ROUTE to a catch-all route: the upstream drafts equal the request."""
    path, mark, query = target.partition("?")
    query = query if mark else None
    body = facts.pop("body", None)
    known = {
        "now_ns": NOON * 10**9,
        "request_id": "0123456789abcdef0123456789abcdef",
        "client_ip": "127.0.0.1",
        "client_port": 40000,
        "server_port": 8000,
        "scheme": "http",
        "host": "gw.test",
        "content_length": None if body is None else len(body),
        "chunked": False,
        "expects_continue": False,
        "tools": FixedTools(),
        "state": facts.pop("state", None) or LimitState(),
        "snapshot": None,
        "upstream_method": method,
        "upstream_path": path,
        "upstream_query": query,
        "upstream_host": b"127.0.0.1:5000",
    }
    lines = [header(name, value) for name, value in fields]
    return Call(method=method, raw_path=path, path=path, query=query, fields=lines, body=body, **(known | facts))


def make_draft(status=200, fields=(), from_upstream=True):
    """An answer's head."""
    return ResponseDraft(status, [header(name, value) for name, value in fields], from_upstream)


def compile_rule(plugin, config=None, **scope):
    """A rule from a configuration that only names what differs from the defaults."""
    return plugin.compile(filled(plugin.config, config or {}), Scope("plugin-id", **scope))


def filled(field, given):
    """A config record with its defaults."""
    out = {}
    for each in field.fields:
        value = given.get(each.name, each.attrs.get("default"))
        out[each.name] = filled(each, value or {}) if each.type == "record" else value
    assert not set(given) - set(out), "unknown config fields"
    return out


def entity(**fields):
    """A consumer, credential or service as far as rules look at it."""
    return SimpleNamespace(**fields)


def pairs(fields):
    """Names and values of the fields that go upstream or to the client, as text."""
    return [(line.split(b":")[0].decode("latin-1"), value.decode("latin-1")) for _, value, line in fields]


def counters(touched):
    """What the ledger stores of ``call.touched``: as a batch's ``read_counters`` has it."""
    batch = Batch()
    batch.touched = list(touched)
    batch.read_counters()
    return batch.touched


def said(call):
    """The fields that rules have set for the answer, those that were made as lines too."""
    made = call.reply_lines.lines if call.reply_lines is not None else []
    return [*call.reply_fields, *(tuple(line.split(b": ", 1)) for line in made)]
