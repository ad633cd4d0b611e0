"""``/cache`` and ``/proxy-cache``: what proxy-cache keeps, to look at and to forget.

Kong's ``/cache`` is about entities that it caches; here nothing but answers is cached, so both show the same table.
"""

from aimon_local.gateway.admin.ask import NO_CONTENT, NOT_FOUND, Ask, Handler, Reply, json_reply
from aimon_local.policy.cache import CachedAnswer

_NONE = Reply(404)  # Kong's plugin says no more


def clear(ask: Ask) -> Reply:
    """DELETE of everything."""
    ask.context.cache.clear()
    return NO_CONTENT


def show(ask: Ask) -> Reply:
    """GET /cache/{key}."""
    found = _found(ask, ask.params["key"])
    return NOT_FOUND if found is None else json_reply(200, _rendered(found))


def forget(ask: Ask) -> Reply:
    """DELETE /cache/{key}: 204, also where there is none."""
    ask.context.cache.remove(ask.params["key"])
    return NO_CONTENT


def show_answer(of_plugin: bool) -> Handler:
    """GET of an answer that proxy-cache keeps; ``of_plugin``: the path names the plugin too."""

    def handler(ask: Ask) -> Reply:
        found = _found(ask, ask.params["cache_key"]) if _offered(ask, of_plugin) else None
        return _NONE if found is None else json_reply(200, _rendered(found))

    return handler


def forget_answer(of_plugin: bool) -> Handler:
    """DELETE of an answer that proxy-cache keeps."""

    def handler(ask: Ask) -> Reply:
        key = ask.params["cache_key"]
        if not _offered(ask, of_plugin) or _found(ask, key) is None:
            return _NONE
        ask.context.cache.remove(key)
        return NO_CONTENT

    return handler


def _offered(ask: Ask, of_plugin: bool) -> bool:
    """Whether the plugin that the path names is a proxy-cache."""
    if not of_plugin:
        return True
    row = ask.context.catalog.select("plugins", ask.params["plugin_id"])
    return row is not None and row["name"] == "proxy-cache"


def _found(ask: Ask, key: str) -> CachedAnswer | None:
    return ask.context.cache.get(key, ask.context.now())


def _rendered(answer: CachedAnswer) -> dict[str, object]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.fields}
    return {
        "status": answer.status,
        "headers": headers,
        "body": answer.body.decode("utf-8", "replace"),
        "body_len": len(answer.body),
        "timestamp": answer.at,
        "ttl": answer.ttl,
        "version": 2,
    }
