"""``aimon-local import``: what a bigger system holds becomes this gateway's. One sub-command per system.

To add one: a module with a click command ``command``, and a line in ``WAYS``.
"""

from aimon_local.cli.ways import Ways

WAYS = {
    "kong": ("import_kong", "A decK file or a `kong config db_export`."),
    "litellm": ("import_litellm", "A LiteLLM proxy's config.yaml, and its keys and budgets."),
}

command = Ways("import", "Take over what a bigger system holds.", WAYS)
