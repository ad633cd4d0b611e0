"""The mock LLM: OpenAI's and Anthropic's wire formats, deterministic by seed, with faults to order."""
