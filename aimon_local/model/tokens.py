"""Tokens as every provider's usage is normalised: parts that are priced once each and never overlap.

OpenAI counts cached tokens inside the prompt's, Anthropic beside them; reasoning tokens lie inside the completion's.
Here they stand apart, so a price is a plain product of part and rate.
"""

from enum import Enum
from typing import NamedTuple

MOST = 1 << 53
"""No part is trusted beyond this: larger numbers are a lie or a fault, and would not survive JSON."""


class Source(Enum):
    """Who counted."""

    REPORTED = "reported"  # the provider, in the answer
    NONE = "none"  # nobody: nothing was used
    ESTIMATED = "estimated"  # we, from the bytes: the provider said nothing or nothing credible


class TokenUsage(NamedTuple):
    """What one call used, in tokens; parts do not overlap."""

    input: int = 0  # prompt tokens that no cache served
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0  # visible completion tokens
    reasoning: int = 0
    source: Source = Source.REPORTED
    complete: bool = True  # False: the answer was cut, these are the tokens delivered
    flags: tuple[str, ...] = ()  # why a reported number was not trusted

    @property
    def total_input(self) -> int:
        """Everything that went in."""
        return self.input + self.cache_read + self.cache_write

    @property
    def total_output(self) -> int:
        """Everything that came out."""
        return self.output + self.reasoning

    @property
    def total(self) -> int:
        """Input and output."""
        return self.total_input + self.total_output

    def flagged(self, flag: str) -> "TokenUsage":
        """The same with one more flag."""
        return self._replace(flags=(*self.flags, flag))


def credible(value: object) -> int | None:
    """A reported count as an integer, or None for what can't be one: negative, NaN, a text."""
    if type(value) is int:  # nearly always
        return value if 0 <= value <= MOST else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= MOST or value != int(value):  # NaN fails the comparison
        return None
    return int(value)
