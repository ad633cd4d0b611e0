"""Filter words over requests: ``tier:pro status:429 reason:rate_limited model:gpt* tokens>1000 !route:health``. Pure.

All words must hold. ``name:pattern`` takes ``*`` and ``?``, and several by comma; ``!`` turns a word round; numbers
take ``: > < >= <=`` (``status:4xx`` too). A word without a name is looked for in who, route, model, reason and id.
To add a word: a line in ``TEXTS`` or ``NUMBERS``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aimon_local.tui.state import Request

TEXTS: Mapping[str, Callable[[Request], str]] = {
    "tier": lambda r: r.tier,
    "consumer": lambda r: r.consumer,
    "route": lambda r: r.route,
    "model": lambda r: r.model,
    "reason": lambda r: r.denied,
    "decision": lambda r: r.decision,
    "method": lambda r: r.method,
    "id": lambda r: r.id,
    "shadow": lambda r: r.shadow,
    "agent": lambda r: r.agent,
    "owner": lambda r: r.owner,
    "run": lambda r: r.run,
    "guard": lambda r: r.guard,
}
NUMBERS: Mapping[str, Callable[[Request], float]] = {
    "status": lambda r: r.status,
    "tokens": lambda r: r.tokens,
    "ms": lambda r: r.total_us / 1000,
    "cost": lambda r: r.cost / 1e9,
    "charge": lambda r: r.charge / 1e9,
}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ":": lambda one, other: one == other,
    "=": lambda one, other: one == other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
}
_WORD = re.compile(r"(!?)(?:([a-z]+)(>=|<=|[:=><]))?(.*)", re.DOTALL)
_CLASS = re.compile(r"[1-5]xx")

Test = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """What was asked, as it is asked of each request; ``fault`` says what is wrong with it."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    fault: str | None = None

    def __call__(self, request: Request) -> bool:
        """Whether all words hold."""
        return all(test(request) for test in self.tests)

    def of(self, requests: Iterable[Request]) -> list[Request]:
        """Those that it lets through, in their order."""
        if not self.tests:
            return list(requests)
        return [request for request in requests if self(request)]


def parse(text: str) -> Filter:
    """The filter of a line of words; one with a fault lets everything through."""
    tests: list[Test] = []
    for word in text.split():
        made = _test(word)
        if isinstance(made, str):
            return Filter(text, (), made)
        tests.append(made)
    return Filter(text, tuple(tests))


def _test(word: str) -> Test | str:
    found = _WORD.fullmatch(word)
    assert found is not None, "the pattern takes any word"
    turned, name, sign, value = found.groups()
    if name is None:
        test: Test | str = _anywhere(value)
    elif name in NUMBERS:
        test = _number(name, sign, value)
    elif name in TEXTS and sign in (":", "="):
        test = _text(name, value)
    else:
        known = ", ".join(sorted([*TEXTS, *NUMBERS]))
        return f"{name}{sign} is no filter word; known: {known}"
    if isinstance(test, str) or not turned:
        return test
    plain = test
    return lambda request: not plain(request)


def _anywhere(value: str) -> Test:
    wanted = value.lower()

    def test(r: Request) -> bool:
        return any(wanted in each.lower() for each in (r.consumer, r.tier, r.route, r.model, r.denied, r.id))

    return test


def _text(name: str, value: str) -> Test:
    read, patterns = TEXTS[name], [each.lower().replace("[", "[[]") for each in value.split(",")]
    return lambda request: any(fnmatchcase(read(request).lower(), each) for each in patterns)


def _number(name: str, sign: str, value: str) -> Test | str:
    read = NUMBERS[name]
    if name == "status" and _CLASS.fullmatch(value) and sign in (":", "="):
        hundred = int(value[0])
        return lambda request: request.status // 100 == hundred
    try:
        wanted = [float(each) for each in value.split(",")]
    except ValueError:
        return f"{name}{sign} needs a number, not {value!r}"
    compare = _COMPARE[sign]
    return lambda request: any(compare(read(request), each) for each in wanted)
