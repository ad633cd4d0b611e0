"""Reading what was used: server-sent events, one dialect per provider, the estimate before the call. Pure."""
