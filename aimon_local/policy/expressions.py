"""The expressions within templates: a small part of Lua, read once into closures and never executed as code.

There are the four variables, ``.name`` and ``[…]``, strings, numbers, ``nil``, ``true``, ``false``, ``not``, ``and``,
``or``, ``==``, ``~=``, ``..``, and the functions of ``_FUNCTIONS``; anything else is a TemplateError when read. Text is
``str`` in latin-1: one character is one byte, so that any byte survives.

To add a function: one line in ``_FUNCTIONS`` or ``_STRING``.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from aimon_local.model.lua import text, tonumber

Value = Any
"""None (nil), a bool, a number, a str, a list of str (a field that comes several times), or a Mapping."""

Expression = Callable[[Mapping[str, Value]], Value]

VARIABLES = frozenset(("headers", "query_params", "uri_captures", "shared"))

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?0[xX][0-9a-fA-F]+|-?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>\.\.|==|~=|[.:\[\](),])
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_KEYWORDS = frozenset(("and", "or", "not", "nil", "true", "false"))
_RESERVED = frozenset(
    ("break", "do", "else", "elseif", "end", "for", "function", "if", "in", "local", "repeat", "return", "then")
) | {"until", "while"}
_ESCAPE = re.compile(r"\\(\d{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_DEEPEST = 50


class TemplateError(ValueError):
    """A template that can't be read (when it is compiled) or rendered (an index into nil, say)."""


def read_expression(source: str) -> Expression:
    """Read what stands between ``$(`` and ``)``; raises TemplateError that tells what is not understood."""
    return _Reader(source).whole()


def shown(value: Value) -> str:
    """A value as the text that a template shows: nil and false as nothing; raises TemplateError for a table."""
    if value is None or value is False:
        return ""
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    if isinstance(value, Mapping):
        raise TemplateError("a table is no text")
    return text(value)


# ---- values and functions


def _string(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(_string(each) for each in value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return text(value)
    raise TemplateError(f"expected a string, got {_type(value)}")


def _type(value: Value = None) -> str:
    if value is None:
        return "nil"
    for kinds, name in ((bool, "boolean"), ((int, float), "number"), (str, "string")):
        if isinstance(value, kinds):
            return name
    return "table"


def _tostring(value: Value = None) -> str:
    return "nil" if value is None else "false" if value is False else shown(value)


def _sub(value: Value, first: Value = 1, last: Value = -1) -> str:
    """``string.sub``: from 1, negative from the end, both ends included."""
    raw = _string(value)
    begin, end = int(tonumber(_string(first)) or 0), int(tonumber(_string(last)) or 0)
    begin = max(begin + len(raw) + 1 if begin < 0 else begin, 1)
    return raw[begin - 1 : max(0, end + len(raw) + 1 if end < 0 else end)]


def _case(upper: bool) -> Callable[[Value], str]:
    """ASCII only: what else there is in a string is bytes of UTF-8."""
    return lambda value: getattr(_string(value).encode("latin-1"), "upper" if upper else "lower")().decode("latin-1")


_STRING: Mapping[str, Callable[..., Value]] = {
    "upper": _case(True),
    "lower": _case(False),
    "len": lambda value: len(_string(value)),
    "sub": _sub,
    "reverse": lambda value: _string(value)[::-1],
}
_FUNCTIONS: Mapping[str, Value] = {"tostring": _tostring, "type": _type, "string": _STRING}


def _index(owner: Value, key: Value) -> Value:
    if isinstance(owner, Mapping):
        return owner.get(key)
    if isinstance(owner, list):
        return owner[key - 1] if type(key) is int and 0 < key <= len(owner) else None
    if isinstance(owner, str):
        return None
    raise TemplateError(f"attempt to index a {_type(owner)} value")


def _call(function: Value, arguments: list[Value]) -> Value:
    if not callable(function):
        raise TemplateError(f"attempt to call a {_type(function)} value")
    try:
        return function(*arguments)
    except TypeError as error:
        raise TemplateError("a function got arguments that it does not take") from error


def _concat(left: Value, right: Value) -> str:
    return _string(left) + _string(right)


def _equal(left: Value, right: Value) -> bool:
    return bool(left == right and _type(left) == _type(right))


def _true(value: Value) -> bool:
    return value is not None and value is not False


# ---- reading


class _Reader:
    """Reads one expression by precedence: or, and, == ~=, .., not, then what binds closest."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = self._scan()
        self._at = 0
        self._depth = 0

    def _scan(self) -> list[tuple[str, str]]:
        tokens, at, end = [], 0, len(self._source.rstrip())
        while at < end:
            found = _TOKEN.match(self._source, at)
            if found is None:
                raise self._unknown(self._source[at:].split()[0])
            kind = found.lastgroup or ""
            word = found[kind]
            if word in _RESERVED:
                raise self._unknown(word)
            tokens.append(("word" if word in _KEYWORDS else kind, word))
            at = found.end()
        return tokens

    def _unknown(self, what: str) -> TemplateError:
        return TemplateError(
            f"'$({_utf8(self._source)})' is not in supported format: '{_utf8(what)}' is not understood"
        )

    def whole(self) -> Expression:
        """The expression, which must be all there is."""
        expression = self._or()
        if self._at < len(self._tokens):
            raise self._unknown(self._tokens[self._at][1])
        return expression

    def _take(self, *words: str) -> str | None:
        """The next mark or keyword if it is one of these."""
        if self._at < len(self._tokens):
            kind, word = self._tokens[self._at]
            if word in words and kind in ("mark", "word"):
                self._at += 1
                return word
        return None

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._unknown("end of expression")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, word: str) -> None:
        if self._take(word) is None:
            raise self._unknown(self._next()[1])

    def _or(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TemplateError("an expression is nested too deeply")
        left = self._and()
        while self._take("or"):
            left = _either(left, self._and())
        self._depth -= 1
        return left

    def _and(self) -> Expression:
        left = self._comparison()
        while self._take("and"):
            left = _both(left, self._comparison())
        return left

    def _comparison(self) -> Expression:
        left = self._joined()
        while mark := self._take("==", "~="):
            left = _compared(left, self._joined(), mark == "==")
        return left

    def _joined(self) -> Expression:
        parts = [self._unary()]
        while self._take(".."):
            parts.append(self._unary())
        joined = parts.pop()
        while parts:
            joined = _applied(_concat, parts.pop(), joined)
        return joined

    def _unary(self) -> Expression:
        negated = 0
        while self._take("not"):
            negated += 1
        value = self._suffixed()
        return value if not negated else _negated(value, negated % 2 == 1)

    def _suffixed(self) -> Expression:
        value = self._primary()
        while mark := self._take(".", "[", ":", "("):
            if mark == ".":
                value = _applied(_index, value, _constant(self._name()))
            elif mark == "[":
                value = _applied(_index, value, self._or())
                self._expect("]")
            elif mark == ":":
                value = self._method(value)
            else:
                value = _called(value, self._arguments())
        return value

    def _method(self, owner: Expression) -> Expression:
        name = self._name()
        if name not in _STRING:
            raise self._unknown(f":{name}")
        self._expect("(")
        return _called(_constant(_STRING[name]), [owner, *self._arguments()])

    def _name(self) -> str:
        kind, word = self._next()
        if kind != "name":
            raise self._unknown(word)
        return word

    def _arguments(self) -> list[Expression]:
        """What stands in parentheses, the first of which is taken already."""
        arguments: list[Expression] = []
        if self._take(")"):
            return arguments
        arguments.append(self._or())
        while self._take(","):
            arguments.append(self._or())
        self._expect(")")
        return arguments

    def _primary(self) -> Expression:
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        kind, word = self._next()
        if kind == "number":
            return _constant(tonumber(word))
        if kind == "string":
            return _constant(_ESCAPE.sub(_unescaped, word[1:-1]))
        if word in ("nil", "true", "false"):
            return _constant({"nil": None, "true": True, "false": False}[word])
        if word in VARIABLES:
            return lambda variables: variables[word]
        if word in _FUNCTIONS:
            return _constant(_FUNCTIONS[word])
        raise self._unknown(word)


def _utf8(raw: str) -> str:
    return raw.encode("latin-1").decode("utf-8", "replace")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code) & 255) if code.isdigit() else _ESCAPED.get(code, code)


def _constant(value: Value) -> Expression:
    return lambda _: value


def _either(left: Expression, right: Expression) -> Expression:
    def value(variables: Mapping[str, Value]) -> Value:
        first = left(variables)
        return first if _true(first) else right(variables)

    return value


def _both(left: Expression, right: Expression) -> Expression:
    def value(variables: Mapping[str, Value]) -> Value:
        first = left(variables)
        return right(variables) if _true(first) else first

    return value


def _compared(left: Expression, right: Expression, wanted: bool) -> Expression:
    return lambda variables: _equal(left(variables), right(variables)) is wanted


def _negated(value: Expression, odd: bool) -> Expression:
    return lambda variables: _true(value(variables)) is not odd


def _applied(function: Callable[[Value, Value], Value], left: Expression, right: Expression) -> Expression:
    return lambda variables: function(left(variables), right(variables))


def _called(function: Expression, arguments: list[Expression]) -> Expression:
    return lambda variables: _call(function(variables), [each(variables) for each in arguments])
