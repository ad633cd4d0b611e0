"""HTTP/1.1: h11 server connection, upstream connection and pool, header hygiene."""
