"""Nouns: entities and their schemas, decisions, usage. Frozen data, no behaviour beyond validation."""
