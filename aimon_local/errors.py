"""The tree of faults. A refusal (429, 401, …) is a value, never one of these.

AimonError                 something failed; ``hint`` says what to do
├── ConfigError            the operator's input: options, files, entities
├── StartError             the process can't start: port taken, data directory in use
├── StoreError             the database can't do its work
│   ├── StoreBusy          locked by another process
│   ├── StoreFull          no space
│   └── StoreCorrupt       damaged
└── UpstreamError          the other side failed (see wire.upstream for its kinds)
"""


class AimonError(Exception):
    """Base of all faults; ``hint`` tells the operator what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(AimonError):
    """An option, a file or an entity that can't be used; names what, where and what to do."""


class StartError(AimonError):
    """The process can't start."""


class StoreError(AimonError):
    """The database can't do its work; requests that need it are refused with 503."""


class StoreBusy(StoreError):
    """Another process holds the database longer than we wait."""


class StoreFull(StoreError):
    """The disk or the database's bound is full."""


class StoreCorrupt(StoreError):
    """The database file is damaged."""


class UpstreamError(AimonError):
    """The upstream failed; ``wire.upstream`` says how."""
