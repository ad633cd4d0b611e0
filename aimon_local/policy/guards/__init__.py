"""Behaviour guards: what a caller does, not how much. Pure; a tier without guards has none of this in its plans.

``steps`` reads a request into fingerprints, ``memory`` folds them, ``judge`` says which guards speak, ``boxes`` what
is done about it, ``rules`` puts that into the plan.
"""
