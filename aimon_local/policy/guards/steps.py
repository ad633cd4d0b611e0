"""One AI request as a step of a conversation: keyed fingerprints of its parts, and a few sizes. The text is not kept.

Read are OpenAI's ``messages``, Anthropic's ``messages`` with ``system``, and the ``input`` of responses and
embeddings. A step's action is what the model last asked its tools for; its result is what they said. To read another
provider's shape: its items in ``_calls`` and ``_result``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import takewhile
from marshal import dumps
from typing import Any, NamedTuple

_SIZE = 8  # bytes of a fingerprint: two of a caller's few steps don't meet by chance
_PER_TOKEN = 4  # bytes
_FORM = 2  # of marshal: without references, so equal content gives equal bytes


class Step(NamedTuple):
    """What the guards see of a request; "" where there is nothing of the kind."""

    prompt: str  # the whole of what the model is to read
    thread: str  # the conversation: its first words
    mark: str  # what is new in it: action and result, else the last two messages
    result: str  # of the tools, where they said more than a word
    tools: tuple[str, ...]  # names of the tools whose results come
    work: bool  # the action itself holds so much text that it is progress
    tokens: int  # about so many in the prompt
    model: str
    family: str  # prompts that may be one that grows: of one conversation, or that begin alike
    length: int  # bytes of the whole
    prefix: Callable[[int], str]  # the fingerprint of so many of its first bytes


_HEAD = 64  # bytes by which prompts begin alike
_WORK = 200  # characters of arguments: who writes that much does more than look
_WORD = 8  # characters of a result: "ok", "done" and "true" are no sign of standing still …
_OVER = 5  # … and what marshal puts around them


def fingerprint(key: bytes, *parts: str | bytes) -> str:
    """Of texts, keyed with the install's secret: who has the ledger can't try out what was said."""
    made = blake2b(key=key, digest_size=_SIZE)
    for part in parts:
        made.update(part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass"))
        made.update(b"\0")
    return made.hexdigest()


def read_step(document: Mapping[str, Any], key: bytes) -> Step:
    """A request's body as a step; any JSON object is one."""
    items = _items(document)
    given = [document.get(name) for name in ("system", "instructions")]
    system = _packed(given) if any(given) else b""
    texts = [_packed(item) for item in items]
    model = document.get("model")
    shown = model if isinstance(model, str) else ""
    results = list(takewhile(_is_result, reversed(items)))
    calls = _calls(items[: len(items) - len(results)]) if results else []
    said = [_packed(_result(each)) for each in reversed(results)]
    asked = [part for call in calls for part in call]
    flat = b"".join([system, *map(_content, items, texts)])
    thread = fingerprint(key, system, *texts[: 2 if _is_system(items) else 1])
    return Step(
        prompt=fingerprint(key, shown, system, _packed(document.get("tools")), *texts),
        thread=thread,
        mark=fingerprint(key, *asked, *said) if results else fingerprint(key, *texts[-2:]),
        result=fingerprint(key, *said) if results and sum(map(len, said)) >= (_WORD + _OVER) * len(said) else "",
        tools=tuple(name for name, _ in calls),
        work=sum(len(arguments) for _, arguments in calls) >= _WORK,
        tokens=len(flat) // _PER_TOKEN,
        model=shown,
        family=thread if len(items) > 1 else fingerprint(key, shown, flat[:_HEAD]),
        length=len(flat),
        prefix=lambda size: fingerprint(key, flat[:size]),
    )


def _items(document: Mapping[str, Any]) -> Sequence[Any]:
    for name in ("messages", "input", "prompt"):
        given = document.get(name)
        if isinstance(given, list):
            return given
        if isinstance(given, str):
            return [given]
    return ()


def _packed(value: Any) -> bytes:
    """Equal values give equal bytes; the order of an object's names counts, since sorting costs more than the rest."""
    try:
        return dumps(value, _FORM)
    except ValueError:  # nested too deeply
        return b"?"


def _is_system(items: Sequence[Any]) -> bool:
    """The first message says who the model is: the second one begins the conversation."""
    first = items[0] if items else None
    return isinstance(first, Mapping) and first.get("role") in ("system", "developer")


def _content(item: Any, packed: bytes) -> bytes:
    """A message's text, so that a longer one begins with a shorter one; all of what is more than a text."""
    content = item.get("content") if isinstance(item, Mapping) and not item.get("tool_calls") else item
    return content.encode("utf-8", "surrogatepass") if isinstance(content, str) else packed


def _kind(item: Any) -> str:
    found = item.get("type") if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else ""


def _blocks(item: Any) -> Iterable[Any]:
    content = item.get("content") if isinstance(item, Mapping) else None
    return content if isinstance(content, list) else ()


def _is_result(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    if item.get("role") == "tool" or _kind(item) == "function_call_output":
        return True
    return item.get("role") == "user" and any(_kind(block) == "tool_result" for block in _blocks(item))


def _result(item: Mapping[str, Any]) -> Any:
    """What a tool said, without the id of its call."""
    if _kind(item) == "function_call_output":
        return item.get("output")
    found = [block.get("content") for block in _blocks(item) if _kind(block) == "tool_result"]
    return found or item.get("content")


def _calls(items: Sequence[Any]) -> list[tuple[str, str]]:
    """(name, arguments) of what the model asked for last."""
    if not items:
        return []
    last = items[-1]
    if _kind(last) == "function_call":
        asked = list(takewhile(lambda item: _kind(item) == "function_call", reversed(items)))
        return [(str(each.get("name")), _arguments(each.get("arguments"))) for each in reversed(asked)]
    if not isinstance(last, Mapping):
        return []
    functions = [each.get("function") for each in last.get("tool_calls") or () if isinstance(each, Mapping)]
    named = [each for each in functions if isinstance(each, Mapping)]
    made = [(str(each.get("name")), _arguments(each.get("arguments"))) for each in named]
    used = [block for block in _blocks(last) if _kind(block) == "tool_use"]
    return made + [(str(block.get("name")), _arguments(block.get("input"))) for block in used]


def _arguments(value: Any) -> str:
    """As text, whatever the provider's form is: in OpenAI's they are one already."""
    return value if isinstance(value, str) else _packed(value).decode("latin-1")
