"""The plugins, one small file each: its schema and its rule side by side.

``ORDER`` is the order in which they look at a request: Kong's priorities, high first. This list is the law; the
``priority`` of a plugin is only what ``GET /`` reports.
"""
