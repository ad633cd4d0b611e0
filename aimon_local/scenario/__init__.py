"""Scenarios: traffic as scripts, played against a gateway and judged. Reaches the gateway by HTTP alone."""
