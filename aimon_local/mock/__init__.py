"""The built-in upstream: httpbin endpoints and a mock LLM."""
