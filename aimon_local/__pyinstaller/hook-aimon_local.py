"""What an executable needs that no import statement shows: modules imported by name, and files beside the code."""

from importlib.util import find_spec
from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

import aimon_local

# Commands, screens and extras are imported by name, when they are asked for; Textual finds its widgets so, too.
hiddenimports = [
    *collect_submodules("aimon_local", filter=lambda name: "__pyinstaller" not in name),
    *collect_submodules("textual.widgets"),
    *(name for name in ("uvloop", "yaml", "cryptography") if find_spec(name)),
]
datas = collect_data_files("aimon_local")  # price book, tiers, migrations, styles
_scripts = Path(aimon_local.__file__).parent.parent / "scenarios"
if _scripts.is_dir():  # a checkout: the wheel has them inside already
    datas.append((str(_scripts), "aimon_local/_scenarios"))
