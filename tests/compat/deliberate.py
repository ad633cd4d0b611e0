"""Where aimon-local answers otherwise than Kong, on purpose: (story, step) → why. Everything else must be equal."""

_ORIGIN = "a web page from elsewhere must not reach the Admin API: a foreign Origin is refused, reads too"
_GROUPS = "consumer groups work here; Kong's open-source edition answers 404"
_ILLEGAL = "no HTTP (RFC 9110, 9112): what servers read differently is refused with 400 and never forwarded"
_CONFIG = "/config is served with a database too; Kong wants none"

DELIBERATE = {
    ("admin-paths", 26): _ORIGIN,
    ("admin-paths", 28): _ORIGIN,
    ("consumer-groups-change", 1): _GROUPS,
    ("consumer-groups-change", 2): _GROUPS,
    ("consumer-groups-change", 3): _GROUPS,
    ("consumer-groups-change", 4): _GROUPS,
    ("forward-basic", 12): "a byte outside ASCII is encoded as it comes in (RFC 3986), so X-Forwarded-Path shows it so",
    ("forward-basic", 19): _ILLEGAL,  # "#" in the target
    ("forward-basic", 29): _ILLEGAL,  # letters outside ASCII in the name of a field
    ("forward-x-forwarded", 16): "a client can't speak in the gateway's name: identity fields go on open routes too",
    ("info-endpoints", 1): "the list names the endpoints of this gateway, not those of a whole Kong",
    ("info-root-status", 8): "the list names the plugins of this gateway, not those of a whole Kong",
    ("info-root-status", 9): _CONFIG,
    ("info-root-status", 10): _CONFIG,
    ("info-root-status", 11): _CONFIG,
    ("schemas-validate", 4): "descriptions of fields are our own words; all else of the schema is equal",
}
