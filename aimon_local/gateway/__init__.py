"""The running process: composition root, request pipeline, live snapshot, admin."""
