"""Lists: pages of rows with ``data``, ``next`` and ``offset``, and their query arguments, as Kong's."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aimon_local.gateway.admin.ask import Ask, Reply, json_reply, refused
from aimon_local.gateway.admin.visible import shown
from aimon_local.model import violation
from aimon_local.model.checks import check_tag
from aimon_local.model.paging import Page, parse_size, parse_tags
from aimon_local.model.violation import Violation

Where = tuple[str, str] | None


def collection(ask: Ask, kind: str, where: Where = None) -> Reply:
    """A page of a kind's rows: all of them, or those below a parent (``where``), where tags don't filter (Kong)."""
    page = rows(ask, kind, where)
    if isinstance(page, Violation):
        return refused(page)
    data = [shown(ask.context, kind, row) for row in page.rows]
    return answer(ask, data, page.next_offset, "" if where is not None else _repeated(ask))


def rows(ask: Ask, kind: str, where: Where) -> Page | Violation:
    """The rows that the query asks for."""
    size = parse_size(ask.query.first("size"))
    if isinstance(size, Violation):
        return size
    catalog = ask.context.catalog
    wanted = ask.query.first("tags") if where is None and _has_tags(ask, kind) else None
    if wanted is not None and "\ufffd" in wanted:  # it was no UTF-8
        return violation.invalid_options({"tags": "invalid filter syntax"})
    tags = None if wanted is None else parse_tags(wanted)
    if isinstance(tags, Violation):
        return tags
    offset = ask.query.first("offset")
    return catalog.page(kind, size=size, offset=offset, tags=tags, where=where, now=ask.context.now())


def answer(ask: Ask, data: Any, offset: str | None, more: str = "", extra: Mapping[str, Any] | None = None) -> Reply:
    """The body of a page; ``offset`` leads to the next, None: this is the last. ``more``: arguments to repeat."""
    out: dict[str, Any] = {"data": data, "next": None, **(extra or {})}
    if offset is not None:
        out["next"] = f"{ask.path}?offset={quote(offset, safe='')}{more}"
        out["offset"] = offset
    return json_reply(200, out)


def tags(ask: Ask) -> Reply:
    """GET /tags and /tags/{tags}: who carries which tag."""
    size = parse_size(ask.query.first("size"))
    if isinstance(size, Violation):
        return refused(size)
    tag = ask.params.get("tags")
    fault = None if tag is None else check_tag(tag)
    if fault is not None:
        return refused(violation.invalid_unique("tag", fault))
    page = ask.context.catalog.page_tags(tag=tag, size=size, offset=ask.query.first("offset"))
    if isinstance(page, Violation):
        return refused(page)
    return answer(ask, page.rows, page.next_offset, "" if tag is not None else _repeated(ask))


def _has_tags(ask: Ask, kind: str) -> bool:
    return any(field.name == "tags" for field in ask.context.catalog.schemas[kind].fields)


def _repeated(ask: Ask) -> str:
    """The arguments that the next page's address repeats."""
    wanted, size = ask.query.first("tags"), ask.query.first("size")
    out = "" if wanted is None else f"&tags={quote(wanted, safe='')}"
    return out + ("" if size is None else f"&size={quote(size, safe='')}")
