"""Admin API client: the one door to a running gateway for the TUI, the CLI and the scenarios."""
