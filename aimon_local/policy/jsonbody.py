"""JSON bodies as the transformers read and write them: compact, "/" escaped, names in their order.

That is lua-cjson's spelling, but for the order, which is arbitrary there. A whole float is written without a fraction,
as Kong does; large integers are not rounded, which Kong does. Bytes that are no UTF-8 pass through strings unchanged.
"""

import json
from typing import Any, NoReturn


def parse(body: bytes) -> Any:
    """The value of a JSON text; raises ValueError for anything else."""
    try:
        source = body.decode("utf-8", "surrogateescape")
        return json.loads(source, parse_float=_number, parse_constant=_refused)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def render(value: Any) -> bytes:
    """A value as JSON text; raises ValueError for what JSON can't hold (half a surrogate pair)."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Both stand in strings only.
    written = written.replace("/", "\\/").replace("\x7f", "\\u007f")
    return written.encode("utf-8", "surrogateescape")


def _number(source: str) -> float | int:
    value = float(source)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
