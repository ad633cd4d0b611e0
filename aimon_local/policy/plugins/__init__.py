"""One small file per plugin: its schema and its rule side by side."""
