"""Memory that survives: SQLite behind one batching writer."""
