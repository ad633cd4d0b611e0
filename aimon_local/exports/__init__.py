"""Ways out: what a gateway holds, in the forms that bigger systems read. Pure: documents in, documents out.

Each way is a package or module here (``kong``: declarative configuration). Fetching from a gateway and writing files is
the command line's matter. What a form can't say is a ``Gap``, never a silence.
"""
