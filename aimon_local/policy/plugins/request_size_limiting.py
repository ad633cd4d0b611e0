"""request-size-limiting: how large a request's body may be.

A declared length is judged at once. A body of undeclared length is counted by the shell as it comes (``max_body``),
so it is stopped at the bound without being kept.
"""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.schema import boolean, integer, record, string
from aimon_local.policy import reasons
from aimon_local.policy.call import Call, Outcome, Refuse
from aimon_local.policy.rule import PluginType, Rule, Scope

_UNITS = {"megabytes": 1 << 20, "kilobytes": 1 << 10, "bytes": 1}

_TEXT = "Request size limit exceeded"
_TOO_LARGE = Refuse(413, _TEXT, reasons.BODY_TOO_LARGE)
_UNEXPECTED = Refuse(417, _TEXT, reasons.BODY_TOO_LARGE)  # the client waits for 100 Continue and won't get it
_NO_LENGTH = Refuse(411, "A valid Content-Length header is required", reasons.LENGTH_REQUIRED)


class RequestSizeLimiting(Rule):
    """One configured instance."""

    __slots__ = ("_most", "_needs_length", "max_body")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        size = config["allowed_payload_size"]
        self._most: int = (128 if size is None else size) * _UNITS[config["size_unit"]]
        self._needs_length: bool = config["require_content_length"]
        self.max_body = (self._most, _TOO_LARGE)

    def access(self, call: Call) -> Outcome:
        """Judge what is known of the body's size."""
        size = call.content_length if call.body is None else len(call.body)
        if size is None:
            return _NO_LENGTH if self._needs_length and not call.chunked else None
        if size > self._most:
            return _UNEXPECTED if call.expects_continue else _TOO_LARGE
        return None

    peek = access  # it counts nothing


PLUGIN = PluginType(
    "request-size-limiting",
    951,
    record(
        "config",
        integer("allowed_payload_size", default=128),
        string("size_unit", required=True, default="megabytes", one_of=list(_UNITS)),
        boolean("require_content_length", required=True, default=False),
        required=True,
    ),
    RequestSizeLimiting,
)
