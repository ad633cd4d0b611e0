"""file-log: one line of JSON per request, appended to a file. The gateway's sinks write it; the rule only says what."""

from collections.abc import Mapping
from typing import Any

from aimon_local.model.schema import boolean, map_of, record, string
from aimon_local.policy.call import Call
from aimon_local.policy.log_entry import check_custom_fields, entry, with_custom_fields
from aimon_local.policy.rule import LogOrder, Outline, PluginType, Rule, Scope


class FileLog(Rule):
    """One configured file."""

    __slots__ = ("_config", "_custom")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        self._config = {"path": config["path"], "reopen": bool(config.get("reopen"))}
        self._custom = config.get("custom_fields_by_lua")

    def log(self, call: Call, outline: Outline) -> LogOrder:
        """The whole entry."""
        return LogOrder("file", self._config, with_custom_fields(entry(call, outline), self._custom))


PLUGIN = PluginType(
    "file-log",
    9,
    record(
        "config",
        string(
            "path",
            required=True,
            match=r"^[^*&%%\`]+$",
            err="not a valid filename",
        ),
        boolean("reopen", required=True, default=False),
        map_of("custom_fields_by_lua", string(len_min=1), string(len_min=1), check=check_custom_fields),
        required=True,
    ),
    FileLog,
)
