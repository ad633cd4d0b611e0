"""What a prompt is known again by: a keyed hash, so that who has the ledger can't try out what was said.

It covers what the model reads (messages, input, instructions), not the model, nor how the answer is to come: the same
words under another model or as a stream have the same fingerprint. The order of an object's names counts, since
sorting them would cost more than the hash. Another provider's word for the prompt: a name in ``_PARTS``.
"""

from collections.abc import Mapping
from hashlib import blake2b
from marshal import dumps
from typing import Any

_PARTS = ("messages", "input", "prompt", "system", "instructions", "tools")
_SIZE = 8  # bytes: 16 hex digits
_FORM = 2  # of marshal: without references, so equal content gives equal bytes


def prompt_fingerprint(document: Mapping[str, Any], key: bytes, body: bytes = b"") -> str:
    """Of a request's body as it was parsed; 16 hex digits. ``body`` stands in for one that is nested too deeply.

    "" without a key: what anyone can compute would tell what was said.
    """
    if not key:
        return ""
    try:
        content = dumps([document.get(part) for part in _PARTS], _FORM)
    except ValueError:
        content = body
    return blake2b(content, key=key, digest_size=_SIZE).hexdigest()
