"""What the README says of the keys: ``python -m tests.tui.readme``."""

from aimon_local.tui.keys import markdown

if __name__ == "__main__":
    print(markdown())
