"""One file to run: ``python -m aimon_local.packaging`` builds ``dist/aimon-local`` and tries it.

It needs the extra: pip install -e '.[bundle]'. What goes in is told by our hook (``aimon_local/__pyinstaller``); what
stays out is listed here. The file needs no Python where it runs; it is for the system and processor it was built on.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from aimon_local import __version__

NAME = "aimon-local"
MOST_BYTES = 35 * 1024 * 1024
LEFT_OUT = (
    *(
        "tkinter",
        "unittest",
        "pydoc",
        "doctest",
        "test",
        "lib2to3",
        "setuptools",
        "pip",
        "pytest",
        "IPython",
        "pyarrow",
        "numpy",
        "pandas",
    ),
    "opentelemetry",  # an extra that finds its own parts by metadata, which one file has not
)
"""Parts of Python and of build machines that nothing here imports in its own right, and what can't work there."""


def build(to: Path) -> Path:
    """Build the executable into ``to`` and return its path; raises SystemExit with PyInstaller's own message."""
    from PyInstaller.__main__ import run  # noqa: PLC0415 (a build tool, not a part of what runs)

    start = Path(__file__).with_name("__main__.py")
    with tempfile.TemporaryDirectory() as work:
        words = ["--onefile", "--name", NAME, "--distpath", str(to), "--workpath", work, "--specpath", work]
        words += ["--noconfirm", "--log-level", "WARN", "--strip", "--optimize", "1"]
        words += [word for name in LEFT_OUT for word in ("--exclude-module", name)]
        run([*words, str(start)])
    return to / (f"{NAME}.exe" if sys.platform == "win32" else NAME)


def main() -> int:
    """Build, look at the size, ask it for its version."""
    file = build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))
    size = file.stat().st_size
    said = subprocess.run([str(file), "version"], capture_output=True, text=True, timeout=60, check=True).stdout
    print(f"{file}: {size / 1024 / 1024:.1f} MiB; {said.splitlines()[0]}")
    if __version__ not in said:
        print(f"it says another version than {__version__}", file=sys.stderr)
        return 1
    if size > MOST_BYTES:
        print(f"it is larger than {MOST_BYTES // 1024 // 1024} MiB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
