"""The law: pure functions of (state, facts, now)."""
