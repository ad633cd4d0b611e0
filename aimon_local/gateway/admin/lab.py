"""``/lab``: the lesson under way, to start, to look at, to end. Our own, beside Kong's API."""

from collections.abc import Mapping
from typing import Any

from aimon_local.gateway.admin.ask import NOT_FOUND, Ask, Reply, json_reply, message
from aimon_local.model.lesson import Step, read

_NONE = message(404, "no lesson is under way: aimon-local lab start NAME")


def show(ask: Ask) -> Reply:
    """GET /lab: the lesson, the step at hand, what went wrong last."""
    lab = ask.context.lab
    if lab is None or lab.lesson is None:
        return _NONE
    lesson, progress = lab.lesson, lab.progress
    done = progress.step >= len(lesson.steps)
    return json_reply(
        200,
        {
            "lesson": lesson.name,
            "title": lesson.title,
            "about": lesson.about,
            "done": done,
            "step": progress.step,
            "seen": progress.seen,
            "why": progress.why,
            "request_id": progress.request_id,
            "addresses": ask.context.addresses(),
            "steps": [_step(step, number < progress.step) for number, step in enumerate(lesson.steps)],
        },
    )


def start(ask: Ask) -> Reply:
    """POST /lab: ``{"name": …, "lesson": {…}}``, the lesson as its file has it."""
    lab, given = ask.context.lab, ask.body.data
    if lab is None:
        return NOT_FOUND
    document, name = given.get("lesson"), given.get("name")
    if not isinstance(document, Mapping) or not isinstance(name, str) or not name:
        return message(400, "name must be a text, and lesson an object with title, about and steps")
    try:
        lab.start(read(name, document))
    except ValueError as fault:
        return message(400, str(fault))
    return show(ask)


def stop(ask: Ask) -> Reply:
    """DELETE /lab: end it."""
    if ask.context.lab is not None:
        ask.context.lab.stop()
    return Reply(204)


def _step(step: Step, done: bool) -> dict[str, Any]:
    known = {name: getattr(step, name) for name in ("title", "why", "run", "look", "times")}
    return {**known, "save": dict(step.save), "done": done}
