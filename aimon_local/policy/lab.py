"""Recognising what a learner has done: (lesson, progress, fact) → progress, and what to say. Pure.

Facts are flat: ``event`` and what the gateway knows of it, by the names that lessons use. A fact that a later step
wants does not count for it: steps come in order. What goes wrong in the step at hand is told with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from aimon_local.model.lesson import Lesson, Step, Wanted, text
from aimon_local.policy.reasons import MEANINGS

Fact = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a learner is. ``step`` counts from 0; as many as there are steps: all is done."""

    step: int = 0
    seen: int = 0  # facts of the step at hand that matched, where it wants several
    why: str | None = None  # what went wrong last in the step at hand
    request_id: str | None = None  # of the call that it went wrong with: explain tells more


def advance(lesson: Lesson, progress: Progress, fact: Fact) -> Progress:
    """The progress after a fact; the same object where it says nothing of the step at hand."""
    if progress.step >= len(lesson.steps):
        return progress
    step = lesson.steps[progress.step]
    if matches(step.done, fact):
        seen = progress.seen + 1
        if seen < step.times:
            return Progress(progress.step, seen)
        return Progress(progress.step + 1)
    why = mistake(step, fact)
    if why is None:
        return progress
    found = fact.get("request_id")
    return replace(progress, why=why, request_id=found if isinstance(found, str) else None)


def matches(wanted: Wanted, fact: Fact) -> bool:
    """Whether a fact has all that is wanted."""
    return all(
        name in fact and any(fnmatchcase(text(fact[name]), pattern) for pattern in patterns)
        for name, patterns in wanted
    )


def mistake(step: Step, fact: Fact) -> str | None:
    """What a fact that does not match says of the step; None: nothing."""
    hint = next((hint.say for hint in step.hints if matches(hint.when, fact)), None)
    if hint is not None:
        return hint
    wanted = dict(step.done)
    if (fact.get("event"),) != wanted["event"]:
        return None
    if fact["event"] == "request":
        return _refused(wanted, fact)
    if fact["event"] == "config" and (fact.get("kind"),) == wanted.get("kind"):
        return _other("name", wanted, fact)
    return None


def _refused(wanted: Mapping[str, tuple[str, ...]], fact: Fact) -> str | None:
    """A call that came out otherwise than the step wants."""
    if "route" in wanted and fact.get("route") and text(fact["route"]) not in wanted["route"]:
        return None  # another lesson's, or somebody's own
    reason = fact.get("deny_reason")
    if isinstance(reason, str):
        return f"the call was answered {fact.get('status')}: {reason}: {MEANINGS.get(reason, 'no further words')}"
    if "status" in wanted and text(fact.get("status")) not in wanted["status"]:
        return f"the call was answered {fact.get('status')}; this step wants {' or '.join(wanted['status'])}"
    return _other("consumer", wanted, fact) or _other("model", wanted, fact)


def _other(name: str, wanted: Mapping[str, tuple[str, ...]], fact: Fact) -> str | None:
    if name not in wanted or any(fnmatchcase(text(fact.get(name)), each) for each in wanted[name]):
        return None
    return f"its {name} is {text(fact.get(name))}; this step wants {' or '.join(wanted[name])}"
