"""Which dialect a path speaks. The table is by the path's end, so a route's prefix before it does not matter."""

from aimon_local.metering.anthropic import CountTokens, Messages
from aimon_local.metering.dialect import Dialect
from aimon_local.metering.openai import Completions, Embeddings, Responses

_CHAT: Dialect = Completions()
TABLE: tuple[tuple[str, Dialect], ...] = (
    ("/v1/chat/completions", _CHAT),
    ("/v1/completions", Completions("openai.completions")),
    ("/v1/responses", Responses()),
    ("/v1/embeddings", Embeddings()),
    ("/v1/messages/count_tokens", CountTokens()),
    ("/v1/messages", Messages()),
)


def provider_for(method: str, path: str) -> str | None:
    """Whose error objects a call's client reads; None: not an AI client's call."""
    dialect = dialect_for(method, path)
    if dialect is not None:
        return dialect.provider
    return "openai" if method == "GET" and path.endswith("/v1/models") else None


def dialect_for(method: str, path: str) -> Dialect | None:
    """The dialect of a call, or None for one that is not an AI call."""
    if method != "POST":
        return None
    plain = path.rstrip("/").lower()  # some providers take these spellings too: none may hide a call from its limits
    for end, dialect in TABLE:
        if plain.endswith(end):
            return dialect
    return None
