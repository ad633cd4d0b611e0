"""Kong's Admin API, and our own endpoints beside it."""
