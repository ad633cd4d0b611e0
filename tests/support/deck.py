"""What decK reads in a file: fields by entity, their types, and what must be there. Facts of its published schema."""

TEXT, WHOLE, YES, TEXTS, OPEN = "text", "whole", "yes/no", "texts", "open"

_ANY = {"id": TEXT, "created_at": WHOLE, "tags": TEXTS}
_STATUSES = {"http_statuses": "wholes", "interval": WHOLE}
_PROBES = {
    "healthy": {**_STATUSES, "successes": WHOLE},
    "unhealthy": {**_STATUSES, "http_failures": WHOLE, "tcp_failures": WHOLE, "timeouts": WHOLE},
    "type": TEXT,
}
_ACTIVE = {
    **_PROBES,
    **{"concurrency": WHOLE, "headers": OPEN, "http_path": TEXT, "https_sni": TEXT, "timeout": WHOLE},
    "https_verify_certificate": YES,
}
PLUGIN = {
    **_ANY,
    **{"name": TEXT, "instance_name": TEXT, "config": OPEN, "enabled": YES, "protocols": TEXTS, "ordering": OPEN},
    **{"consumer": TEXT, "consumer_group": TEXT, "route": TEXT, "service": TEXT, "run_on": TEXT, "_config": TEXT},
}
GROUP_PLUGIN = {**_ANY, "name": TEXT, "instance_name": TEXT, "config": OPEN, "_config": TEXT}
_PEER = [{"ip": TEXT, "port": WHOLE}]
ROUTE = {
    **_ANY,
    **{"name": TEXT, "protocols": TEXTS, "methods": TEXTS, "hosts": TEXTS, "paths": TEXTS, "headers": OPEN},
    **{"snis": TEXTS, "sources": _PEER, "destinations": _PEER, "expression": TEXT, "priority": WHOLE},
    **{"strip_path": YES, "preserve_host": YES, "request_buffering": YES, "response_buffering": YES},
    **{"regex_priority": WHOLE, "https_redirect_status_code": WHOLE, "path_handling": TEXT, "updated_at": WHOLE},
    "plugins": [PLUGIN],
}
SERVICE = {
    **_ANY,
    **{"name": TEXT, "url": TEXT, "protocol": TEXT, "host": TEXT, "port": WHOLE, "path": TEXT, "retries": WHOLE},
    **{"connect_timeout": WHOLE, "read_timeout": WHOLE, "write_timeout": WHOLE, "enabled": YES, "updated_at": WHOLE},
    **{"ca_certificates": TEXTS, "client_certificate": TEXT, "tls_verify": YES, "tls_verify_depth": WHOLE},
    "routes": [ROUTE],
    "plugins": [PLUGIN],
}
CONSUMER = {
    **_ANY,
    **{"username": TEXT, "custom_id": TEXT, "groups": [{**_ANY, "name": TEXT}], "plugins": [PLUGIN]},
    "keyauth_credentials": [{**_ANY, "key": TEXT, "ttl": WHOLE}],
    "basicauth_credentials": [{**_ANY, "username": TEXT, "password": TEXT}],
    "jwt_secrets": [{**_ANY, "key": TEXT, "secret": TEXT, "algorithm": TEXT, "rsa_public_key": TEXT}],
    "acls": [{**_ANY, "group": TEXT}],
}
_HASH = ("cookie", "cookie_path", "header", "query_arg", "uri_capture")
UPSTREAM = {
    **_ANY,
    **{"name": TEXT, "algorithm": TEXT, "host_header": TEXT, "slots": WHOLE, "use_srv_name": YES, "hash_on": TEXT},
    **{f"hash_on_{each}": TEXT for each in _HASH},
    **{f"hash_fallback_{each}": TEXT for each in ("header", "query_arg", "uri_capture")},
    "hash_fallback": TEXT,
    "healthchecks": {"active": _ACTIVE, "passive": _PROBES, "threshold": "number"},
    "targets": [{**_ANY, "target": TEXT, "weight": WHOLE, "failover": YES}],
    "client_certificate": {"id": TEXT},
}
DOCUMENT = {
    "_format_version": TEXT,
    "services": [SERVICE],
    "routes": [ROUTE],
    "consumers": [CONSUMER],
    "consumer_groups": [{**_ANY, "name": TEXT, "consumers": OPEN, "plugins": [GROUP_PLUGIN]}],
    "plugins": [PLUGIN],
    "upstreams": [UPSTREAM],
    "certificates": [{**_ANY, "cert": TEXT, "key": TEXT, "snis": [{"name": TEXT}]}],
    "ca_certificates": [{**_ANY, "cert": TEXT, "cert_digest": TEXT}],
}
REQUIRED = {
    "acls": ("group",),
    "basicauth_credentials": ("username", "password"),
    "jwt_secrets": ("algorithm", "key", "secret"),
    "keyauth_credentials": ("key",),
    "targets": ("target",),
    "upstreams": ("name",),
    "certificates": ("id", "cert", "key"),
    "ca_certificates": ("cert",),
    "plugins": ("name",),
}
ONE_OF = {"services": ("name", "id"), "routes": ("name", "id"), "consumers": ("username", "custom_id")}

_TYPES = {
    TEXT: lambda value: isinstance(value, str),
    WHOLE: lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    YES: lambda value: isinstance(value, bool),
    TEXTS: lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "wholes": lambda value: isinstance(value, list) and all(isinstance(each, int) for each in value),
    OPEN: lambda value: isinstance(value, dict | list),
}


def faults(value, rule=None, where=""):
    """All that decK would refuse in a document."""
    rule = DOCUMENT if rule is None else rule
    if isinstance(rule, str):
        return [] if _TYPES[rule](value) else [f"{where}: {value!r} is no {rule}"]
    if isinstance(rule, list):
        if not isinstance(value, list):
            return [f"{where}: no list"]
        kind = where.rsplit(".", 1)[-1]
        return [
            fault
            for at, each in enumerate(value)
            for fault in (*faults(each, rule[0], f"{where}[{at}]"), *_missing(kind, each, f"{where}[{at}]"))
        ]
    if not isinstance(value, dict):
        return [f"{where}: no record"]
    out = [f"{where}.{name}: unknown" for name in value if name not in rule]
    return out + [
        f for name, each in value.items() if name in rule for f in faults(each, rule[name], f"{where}.{name}")
    ]


def _missing(kind, entity, where):
    if not isinstance(entity, dict):
        return []
    out = [f"{where}.{name}: required" for name in REQUIRED.get(kind, ()) if name not in entity]
    one = ONE_OF.get(kind, ())
    return out + ([f"{where}: one of {one} is required"] if one and not any(name in entity for name in one) else [])
