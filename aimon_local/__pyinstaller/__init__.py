"""Where PyInstaller finds our hook: the entry point ``pyinstaller40`` in pyproject.toml names ``get_hook_dirs``."""

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folder of ``hook-aimon_local.py`` (PyInstaller's convention for packages that bring their own hooks)."""
    return [str(Path(__file__).parent)]
