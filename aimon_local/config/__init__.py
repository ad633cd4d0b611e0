"""aimon.toml: schema, load, save."""
