"""Writes aimon.toml (tomli-w): only what is set, whole or not at all. What is saved loads as the same.

The file may hold the admin token, so only its owner may read it.
"""

import os
from pathlib import Path
from typing import Any

from aimon_local.config import offers
from aimon_local.config.schema import Config, given
from aimon_local.errors import ConfigError


def dumps(config: Config) -> str:
    """The configuration as TOML text; sections without a set key are left out."""
    import tomli_w  # noqa: PLC0415 - a start only loads

    sections = {"gateway": given(config.gateway), "limits": given(config.limits)}
    document: dict[str, Any] = {name: values for name, values in sections.items() if values}
    return tomli_w.dumps({**document, **offers.as_document(config.offers)})


def save(config: Config, path: Path) -> None:
    """Write the file, replacing one that is there; ConfigError when that is not possible."""
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            file.write(dumps(config))
            file.flush()
            os.fsync(fd)
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written ({error.strerror})", "is its folder there and writable?") from error
