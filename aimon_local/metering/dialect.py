"""What a dialect is: how one provider's API says model, limits, stream and usage.

Request side: ``read`` takes the facts out of a body, ``prepare`` edits what goes upstream (such as asking for usage on
a stream). Answer side: ``usage`` normalises a usage object, ``Fold`` adds up a stream's events. All pure.

To add a provider: one module with a ``Dialect`` and one line in ``metering.dialects``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from aimon_local.metering.sse import Event
from aimon_local.model.tokens import TokenUsage


class AiFacts(NamedTuple):
    """What a request asks for."""

    dialect: str
    model: str
    stream: bool
    prompt_tokens: int  # our estimate
    max_output: int | None  # what the client asked for, per choice
    choices: int  # n
    wants_usage: bool  # the client itself asked for usage on the stream
    tools: tuple[str, ...]  # names of the tools it offers the model


@dataclass(frozen=True, slots=True)
class BadBody:
    """A body that is not what its path promises; ``param`` names the field."""

    message: str
    param: str | None = None


class Fold(Protocol):
    """Adds up the events of one stream."""

    usage: TokenUsage | None
    finish_reason: str | None
    model: str | None
    delivered: int  # bytes of text (and tool arguments) that the events carried
    error: bool  # an error came inside the stream
    done: bool  # the dialect's own end was seen

    def take(self, event: Event) -> bool:
        """Read one event; True where it carries nothing but the usage that we asked for."""
        ...


class Answer(NamedTuple):
    """What a whole (not streamed) answer says."""

    usage: TokenUsage | None
    finish_reason: str | None
    model: str | None
    delivered: int


class Dialect(Protocol):
    """One provider's API."""

    @property
    def name(self) -> str:
        """Its word in the ledger: ``provider.api``."""
        ...

    @property
    def provider(self) -> str:
        """Whose API it is."""
        ...

    def read(self, document: Mapping[str, Any]) -> AiFacts | BadBody:
        """The facts of a request body."""
        ...

    def prepare(self, document: Mapping[str, Any], facts: AiFacts) -> Mapping[str, Any]:
        """The body that goes upstream; the same object where nothing is to be changed."""
        ...

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """A whole answer."""
        ...

    def fold(self) -> Fold:
        """A new fold for a streamed answer."""
        ...


def whole(document: Mapping[str, Any], *names: str) -> int | BadBody | None:
    """The first of the fields that is set, as an integer ≥ 0; BadBody for anything else."""
    for name in names:
        value = document.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return BadBody(f"{name} must be a whole number that is not negative", name)
        return value
    return None
