"""Whether an answer is what a step expects, by what the client saw. Pure. Reasons come later, from the ledger."""

import re
from collections.abc import Mapping

from aimon_local.scenario.script import Expect


def faults(expect: Expect, status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
    """What is not as expected, in words."""
    found = []
    if expect.status and not any(_is(status, wanted) for wanted in expect.status):
        found.append(f"status {status or 'none'}, expected {' or '.join(expect.status)}")
    for name, pattern in expect.headers:
        value = headers.get(name.lower())
        if value is None:
            found.append(f"no field {name}")
        elif not re.search(pattern, value):
            found.append(f"{name}: {value}, expected {pattern}")
    found += [f"a field {name}, expected none" for name in expect.absent if name.lower() in headers]
    if expect.body and not re.search(expect.body, body.decode("utf-8", "replace")):
        found.append(f"the body has nothing like {expect.body}")
    return tuple(found)


def _is(status: int, wanted: str) -> bool:
    return f"{status:03d}"[0] == wanted[0] if wanted.endswith("xx") else status == int(wanted)
