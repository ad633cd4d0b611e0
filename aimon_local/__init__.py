"""aimon-local: the AI-API monetization control plane on a laptop. Holds the version and imports nothing."""

__version__ = "0.1.0"
