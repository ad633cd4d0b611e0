"""Templates of the transformers: ``/u/$(uri_captures.id)/$(query_params.q or 'none')``.

Kong renders each ``$(…)`` as a Lua expression; ``policy.expressions`` says which part of Lua that is here. A ``$(``
that is never closed is plain text, as in Kong. Text is ``str`` in latin-1: one character is one byte, so that any
byte survives.
"""

from collections.abc import Mapping, Sequence

from aimon_local.policy.expressions import Expression, TemplateError, Value, read_expression, shown


class Template:
    """A compiled template: text and expressions in turn."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[str | Expression]) -> None:
        self._parts = parts

    def render(self, variables: Mapping[str, Value]) -> str:
        """The text with each expression's value in its place, nil and false as nothing; raises TemplateError."""
        return "".join(part if isinstance(part, str) else shown(part(variables)) for part in self._parts)


def compile_template(source: str) -> Template:
    """Read a template from a configuration; raises TemplateError that tells what is not understood."""
    raw = source.encode("utf-8", "surrogateescape").decode("latin-1")
    parts: list[str | Expression] = []
    done = at = 0
    while (at := raw.find("$(", at)) >= 0:
        end = _closing(raw, at + 1)
        if end is None:
            at += 2
            continue
        parts += (raw[done:at], read_expression(raw[at + 2 : end]))
        done = at = end + 1
    parts.append(raw[done:])
    return Template([part for part in parts if part != ""])


def check_template(source: str) -> str | None:
    """The text of what is wrong with a template, or None."""
    try:
        compile_template(source)
    except TemplateError as error:
        return str(error)
    return None


def _closing(raw: str, at: int) -> int | None:
    """Where the parenthesis at ``at`` is closed; quotes don't matter, as in Lua's ``%b()``."""
    depth = 0
    for place in range(at, len(raw)):
        depth += (raw[place] == "(") - (raw[place] == ")")
        if depth == 0:
            return place
    return None
