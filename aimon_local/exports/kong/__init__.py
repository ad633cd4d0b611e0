"""To and from a real Kong: declarative configuration as decK reads it (``_format_version: "3.0"``).

``write`` makes a document of our rows, ``read`` makes rows of a document of decK's or of ``kong config db_export``.
``nest`` is the form, ``tiers`` the meaning. Tested law: export, import, export is the identity.
"""

from aimon_local.exports.kong.read import read
from aimon_local.exports.kong.write import EDITIONS, Edition, write

__all__ = ["EDITIONS", "Edition", "read", "write"]
