"""The dashboard: another client of the Admin API, in a process of its own."""
