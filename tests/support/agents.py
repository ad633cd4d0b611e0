"""Agents for tests of behaviour guards: a caller that goes through both rules in virtual time, and conversations."""

import json

from aimon_local.model.ai import AiRecord
from aimon_local.model.guard_words import SAID, WORDS
from aimon_local.model.guards import Guards
from aimon_local.policy.guards.rules import Door, Watch
from aimon_local.policy.state import LimitState
from tests.support.calls import NOON, entity, make_draft
from tests.support.tiers import CHAT, ask

RECORD = AiRecord("openai.chat", "t", "m-1", None, False, 0, 0, 0, 0)


class Caller:
    """One caller under guards; ``call`` answers the status, and notes what was said."""

    def __init__(self, guards=None, state=None, name="bot"):
        self.guards = guards or Guards()
        self.door, self.watch = Door(self.guards, "agent"), Watch(self.guards, "agent")
        self.state, self.name = state or LimitState(), name
        self.state.key = self.state.key or b"k" * 32
        self.now = NOON * 10**9
        self.words, self.said, self.last = [], [], None
        self.agents = {}  # by consumer

    def begin(self, document, path=CHAT, **facts):
        """A call as far as it goes before the upstream: (the call, what stopped it)."""
        call = ask(document, path, self.state, self.name, now_ns=self.now, **facts)
        call.snapshot = entity(family=entity(by_consumer=self.agents))
        outcome = self.door.access(call)
        if outcome is None:
            outcome = self.watch.access(call)
        return call, outcome

    def end(self, call, outcome, status=200, fields=(), cost=0):
        """The answer, the upstream's or the guards' own: its status."""
        if outcome is not None:
            status, fields = outcome.status, [(name.decode(), value.decode()) for name, value in outcome.fields]
        self.door.response(call, make_draft(status, fields, outcome is None))
        if outcome is None:
            call.notes["ai"] = RECORD._replace(cost=cost)
            self.watch.settle(call, True)
        self.words.append(call.notes.get(WORDS, ""))
        self.said += call.notes.get(SAID, [])
        self.last = outcome or call
        return status

    def call(self, document, after=1.0, status=200, fields=(), cost=0, **facts):
        """A whole call, ``after`` seconds behind the one before."""
        self.now += int(after * 10**9)
        return self.end(*self.begin(document, **facts), status, fields, cost)

    @property
    def stops(self):
        """What was throttled or denied, by the words of the ledger."""
        return [word for words in self.words for word in words.split() if ":throttle" in word or ":deny" in word]

    @property
    def actions(self):
        """The events, as (guard, action)."""
        return [(each.guard, each.action) for each in self.said]


def chat(*messages, **more):
    """A document; a text is a user's message."""
    shown = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
    return {"model": "m-1", "messages": [{"role": "system", "content": "You help."}, *shown], "max_tokens": 10} | more


class Conversation:
    """A chat with tools that grows step by step, as agents send it."""

    def __init__(self, task="Do the task."):
        self.messages = [{"role": "user", "content": task}]

    def document(self):
        """What is sent next."""
        return chat(*self.messages)

    def tool(self, name, arguments, result):
        """The model asked for a tool, which said ``result``: the next call."""
        number = f"call_{len(self.messages)}"  # a new one each time, as providers make them
        function = {"name": name, "arguments": json.dumps(arguments)}
        self.messages.append({"role": "assistant", "tool_calls": [{"id": number, "function": function}]})
        self.messages.append({"role": "tool", "tool_call_id": number, "content": result})
        return self.document()

    def say(self, answer, text):
        """The model answered, somebody said more: the next call."""
        self.messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": text}]
        return self.document()
