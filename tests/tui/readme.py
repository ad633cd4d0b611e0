"""Brings the README's list of keys up to date: ``python -m tests.tui.readme``."""

import re
from pathlib import Path

from aimon_local.tui.keys import markdown

README = Path(__file__).resolve().parents[2] / "README.md"

if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(
        re.sub(r"\| key \| what it does \|\n(\|.*\n)+", lambda _: markdown() + "\n", text), encoding="utf-8"
    )
