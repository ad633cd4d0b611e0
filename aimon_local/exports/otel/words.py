"""What a request's spans and its measurements say alike: attributes by the semantic conventions. Pure.

Nothing of a prompt, an answer, a path or a key is in there: the ledger has none of them.
"""

from aimon_local.model.ai import AiRecord
from aimon_local.model.usage import UsageRow

Value = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, Value]

_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_OPERATIONS = {
    "openai.chat": "chat",
    "openai.responses": "chat",
    "openai.completions": "text_completion",
    "openai.embeddings": "embeddings",
    "anthropic.messages": "chat",
}


def http(row: UsageRow) -> Attributes:
    """Method, status and, where it failed, how: RFC 9110's methods by name, any other as ``_OTHER``."""
    told: Attributes = {"http.request.method": row.method if row.method in _METHODS else "_OTHER"}
    if row.status:
        told["http.response.status_code"] = row.status
    fault = failure(row)
    if fault is not None:
        told["error.type"] = fault
    return told


def failure(row: UsageRow) -> str | None:
    """As ``error.type`` has it, of the gateway's side: a 4xx is the client's fault and none of the gateway's."""
    if row.status >= 500:
        return str(row.status)
    return None if row.complete else "incomplete"


def upstream_failure(row: UsageRow) -> str | None:
    """As ``error.type`` has it, of the upstream's side, where a 4xx is a failure too."""
    status = row.upstream_status
    if status is not None and status >= 400:
        return str(status)
    return None if row.complete else "incomplete"


def asked(row: UsageRow, ai: AiRecord | None) -> bool:
    """Whether an AI provider was asked at all."""
    return ai is not None and bool(ai.dialect) and row.upstream_status is not None


def gen_ai(ai: AiRecord) -> Attributes:
    """Which model did what: the key of AI measurements."""
    provider, _, api = ai.dialect.partition(".")
    told: Attributes = {
        "gen_ai.operation.name": _OPERATIONS.get(ai.dialect, api),
        "gen_ai.provider.name": provider,
    }
    if ai.model:
        told["gen_ai.request.model"] = ai.model
    if ai.served:
        told["gen_ai.response.model"] = ai.served
    return told


def tokens(ai: AiRecord) -> tuple[int, int]:
    """Input and output; what a cache served or took, and reasoning, are parts of them."""
    return ai.input + ai.cache_read + ai.cache_write, ai.output + ai.reasoning
