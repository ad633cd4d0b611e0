"""Where each dialect says how much a model may write, and how that is brought under a bound. Pure.

To add a dialect: one line in ``_FIELDS``. A dialect that is not there writes nothing (embeddings, token counts).
"""

from collections.abc import Mapping
from typing import Any

# The first is the one to set where the client set none; an older name is changed where the client used it.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "openai.chat": ("max_completion_tokens", "max_tokens"),
    "openai.completions": ("max_tokens",),
    "openai.responses": ("max_output_tokens",),
    "anthropic.messages": ("max_tokens",),
}


def writes(dialect: str) -> bool:
    """Whether calls of a dialect have output tokens at all."""
    return dialect in _FIELDS


def bounded(dialect: str, document: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    """The body with at most ``most`` output tokens asked for; the same object where it asks for no more already."""
    names = _FIELDS.get(dialect, ())
    given = [name for name in names if document.get(name) is not None]
    if not names or any(document[name] <= most for name in given[:1]):
        return document
    return {**document, **dict.fromkeys(given or names[:1], most)}
