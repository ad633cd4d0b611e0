"""What can be done to the gateway's clock from here. Pure."""

from collections.abc import Mapping
from typing import Any

_NS = 1_000_000_000
_EDGES = {"minute": 60, "hour": 3_600, "day": 86_400}


def clock_moves(now_ns: int) -> Mapping[str, Mapping[str, Any]]:
    """Words, and what ``POST /clock`` takes for each; edges are those of UTC, a second past each."""
    second = now_ns // _NS
    to_edge = {
        f"to the next {name}": {"advance": f"{length - second % length + 1}s"} for name, length in _EDGES.items()
    }
    return {
        **to_edge,
        "freeze it": {"freeze": True},
        "let it go on": {"resume": True},
        "back to real time": {"reset": True},
    }
