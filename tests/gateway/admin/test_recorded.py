"""The Admin API's steps of all recorded stories, without sockets and without a proxy; ``tests/compat`` plays them whole."""

import json
from pathlib import Path

import pytest

from aimon_local.policy.plugins import ORDER, SCHEMAS
from tests.compat.deliberate import DELIBERATE
from tests.compat.replay import Missing, captures, compare, step_request
from tests.support.admin import AdminUnderTest, seen

STORIES = Path(__file__).parents[2] / "compat" / "stories"
GIVEN = {
    "run": "r1", "upstream": "http://127.0.0.1:4001", "upstream_host": "127.0.0.1", "upstream_port": 4001,
    "upstream2_port": 4002, "dead_port": 4009, "proxy_port": 8000, "proxy_host": "127.0.0.1", "admin_port": 8001,
}  # fmt: skip


def load(name):
    return json.loads((STORIES / f"{name}.json").read_text(encoding="utf-8"))


def play(story, admin):
    """(step number, differences) of the steps to the Admin API."""
    values = dict(GIVEN)
    for number, step in enumerate(story["steps"], 1):
        admin.clock.advance_ns(int(step.get("sleep", 0) * 1e9) + 1_000_000)
        if step["to"] != "admin":
            continue
        try:
            path, headers, body = step_request(step, values)
        except Missing as name:
            if not step.get("cleanup"):
                yield number, step, [f"not sent: {name} was never captured"]
            continue
        fields = [(name, value) for name, value in headers.items()]
        if body is not None and "content-length" not in {name.lower() for name in headers}:
            fields.append(("Content-Length", str(len(body))))
        response = seen(step["method"], admin.send(step["method"], path, fields, body or b""))
        captures(step, response, values)
        if not step.get("cleanup"):
            yield number, step, compare(step, response, values)


def about_proxying(step):
    """Whether the answer depends on what was proxied before, which nothing did here."""
    return step["path"].startswith("/metrics")


@pytest.mark.parametrize("name", sorted(path.stem for path in STORIES.glob("*.json")))
def test_answers_as_recorded(name):
    story = load(name)
    wrong = [
        f"{number} {step['method']} {step['path']} {step.get('body') or ''}: {'; '.join(differences)}"
        for number, step, differences in play(story, AdminUnderTest(plugin_schemas=SCHEMAS, plugins=ORDER))
        if differences and (story["story"], number) not in DELIBERATE and not about_proxying(step)
    ]
    assert not wrong, "\n".join(wrong)
