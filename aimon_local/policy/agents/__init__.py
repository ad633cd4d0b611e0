"""What agents may, and how far their runs go: scopes, tokens, signed runs, and a reserve on agent and owner together.

A snapshot without agents imports none of it, and the plan of a consumer that is no agent has none of it.
"""
