"""``aimon-local export``: what this gateway holds, for bigger systems. One sub-command per way out.

To add one: a module with a click command ``command``, and a line in ``WAYS``.
"""

from aimon_local.cli.ways import Ways

WAYS = {
    "kong": ("export_kong", "A declarative configuration for a real Kong (decK)."),
    "usage": ("export_usage", "The ledger's rows: CloudEvents, OpenMeter, FOCUS, CSV."),
}

command = Ways("export", "Write what this gateway holds for bigger systems.", WAYS)
