"""``python -m aimon_local``: the command line."""

from aimon_local.cli.main import main

if __name__ == "__main__":
    main()
