"""The lab in the running gateway: one lesson at a time, watched through the gateway's own events. Kept in memory.

A lesson is data: its commands are shown to people and never run here. While none is under way, nothing listens.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aimon_local.gateway.events import Events
from aimon_local.model.catalog import Catalog
from aimon_local.model.event import ConfigChanged, Event, LabMoved, RequestEnded
from aimon_local.model.lesson import Lesson
from aimon_local.policy.lab import Fact, Progress, advance

_SECONDS = 3600.0  # of silence, then it looks again


class Lab:
    """The lesson under way."""

    def __init__(self, events: Events, catalog: Catalog, now: Callable[[], int]) -> None:
        self.lesson: Lesson | None = None
        self.progress = Progress()
        self._events, self._catalog, self._now = events, catalog, now
        self._task: asyncio.Task[None] | None = None

    def start(self, lesson: Lesson) -> None:
        """Begin a lesson, from its first step; another one ends."""
        self.stop()
        self.lesson, self.progress = lesson, Progress()
        self._task = asyncio.get_running_loop().create_task(self._watch(self._events.last))
        self._tell()

    def stop(self) -> None:
        """End the lesson under way."""
        if self._task is not None:
            self._task.cancel()
        self.lesson = self._task = None

    def asked(self, method: str, path: str, status: int) -> None:
        """The Admin API was asked something."""
        if self.lesson is not None:
            self._take({"event": "admin", "method": method, "path": path, "status": status})

    async def _watch(self, at: int) -> None:
        """Follow the events from a number on."""
        events = self._events
        while not events.closed:
            gap = events.gap(at)
            at = gap.next - 1 if gap is not None else at
            for number, event in events.after(at):
                at = number
                for fact in self._facts(event):
                    self._take(fact)
            await events.more(at, _SECONDS)

    def _take(self, fact: Fact) -> None:
        lesson = self.lesson
        if lesson is None:
            return
        before, self.progress = self.progress, advance(lesson, self.progress, fact)
        if self.progress != before:
            self._tell()

    def _tell(self) -> None:
        lesson, progress = self.lesson, self.progress
        if lesson is None:
            return
        step = lesson.steps[progress.step].title if progress.step < len(lesson.steps) else None
        told = (lesson.name, progress.step, len(lesson.steps), step, progress.seen, progress.why, progress.request_id)
        self._events.publish(LabMoved(self._now(), *told))

    def _facts(self, event: Event) -> Iterator[Fact]:
        if isinstance(event, RequestEnded):
            yield self._request(event)
        elif isinstance(event, ConfigChanged):
            for each in event.changes:
                yield {"event": "config", "op": each.op, "kind": each.kind, "name": each.name}
        elif not isinstance(event, LabMoved):
            yield {**event.facts(), "event": event.kind}

    def _request(self, event: RequestEnded) -> Mapping[str, Any]:
        row, ai = event.row, event.ai
        known = {} if ai is None else {**ai._asdict(), "ai": True}
        names = {"route": self._name("routes", row.route_id), "service": self._name("services", row.service_id)}
        return {**known, **row._asdict(), **names, "event": "request"}

    def _name(self, kind: str, id_: str | None) -> str | None:
        row = self._catalog.select(kind, id_) if id_ else None
        return None if row is None else row["name"]
