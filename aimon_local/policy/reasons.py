"""Why a request was denied: the stable words that stand in the ledger, in metrics and in log lines.

A word is never renamed, for stored rows keep it. To add one: a constant and its meaning in ``MEANINGS``.
"""

from collections.abc import Mapping

# Who calls?
NO_KEY = "no_key"
INVALID_KEY = "invalid_key"
KEY_EXPIRED = "key_expired"
DUPLICATE_KEY = "duplicate_key"
NO_LOGIN = "no_login"
INVALID_LOGIN = "invalid_login"
NO_TOKEN = "no_token"
INVALID_TOKEN = "invalid_token"
TOKEN_EXPIRED = "token_expired"
NO_ANONYMOUS = "no_anonymous"
NO_CRYPTOGRAPHY = "no_cryptography"
# May they?
IP_DENIED = "ip_denied"
ACL_DENIED = "acl_denied"
NO_CONSUMER = "no_consumer"
BODY_TOO_LARGE = "body_too_large"
LENGTH_REQUIRED = "length_required"
RATE_LIMITED = "rate_limited"
TERMINATED = "terminated"
NOT_CACHED = "not_cached"
TEMPLATE_FAILED = "template_failed"

# Does the tier allow it?
BAD_REQUEST = "bad_request"
ROUTE_NOT_ALLOWED = "route_not_allowed"
MODEL_NOT_ALLOWED = "model_not_allowed"
MODEL_NOT_PRICED = "model_not_priced"
PROMPT_TOO_LARGE = "prompt_too_large"
OUTPUT_TOO_LARGE = "output_too_large"
REQUEST_LIMIT = "request_limit"
TOKEN_LIMIT = "token_limit"
QUOTA_EXHAUSTED = "quota_exhausted"
BUDGET_EXHAUSTED = "budget_exhausted"
CONCURRENCY = "concurrency"
NO_TIER = "no_tier"

APPROVAL_REQUIRED = "approval_required"

# May an agent?
AGENT_DISABLED = "agent_disabled"
OWNER_REVOKED = "owner_revoked"
TOKEN_REVOKED = "token_revoked"
TOKEN_BUDGET = "token_budget"
SCOPE_ROUTE = "scope_route"
SCOPE_METHOD = "scope_method"
SCOPE_MODEL = "scope_model"
SCOPE_TOOL = "scope_tool"
SCOPE_OUTPUT = "scope_output"
RUN_FORGED = "run_forged"
RUN_REPLAYED = "run_replayed"
RUN_REQUESTS = "run_requests"
RUN_TOKENS = "run_tokens"
RUN_COST = "run_cost"
RUN_TIME = "run_time"
RUN_DEPTH = "run_depth"
RUN_FANOUT = "run_fanout"

# Does it behave?
THROTTLED = "throttled"
ABNORMAL_USAGE = "abnormal_usage"

# Is there room at the service?
QUEUE_FULL = "queue_full"
QUEUE_TIMEOUT = "queue_timeout"
QUEUE_LEFT = "queue_left"

# What else ends a request early? (of these, only the ones outside ``FAILURES`` are denials)
METHOD_NOT_ALLOWED = "method_not_allowed"
FIELD_REPEATED = "field_repeated"
WRONG_PROTOCOL = "wrong_protocol"
NO_ROUTE = "no_route"
NO_SERVICE = "no_service"
NO_PEER = "no_peer"
LEDGER_UNAVAILABLE = "ledger_unavailable"
UPSTREAM_UNRESOLVED = "upstream_unresolved"
UPSTREAM_FAILED = "upstream_failed"
UPSTREAM_TIMEOUT = "upstream_timeout"
ANSWER_TOO_LARGE = "answer_too_large"
INTERNAL_FAULT = "internal_fault"

FAILURES = frozenset(
    (
        NO_ROUTE,
        NO_SERVICE,
        NO_PEER,
        LEDGER_UNAVAILABLE,
        UPSTREAM_UNRESOLVED,
        UPSTREAM_FAILED,
        UPSTREAM_TIMEOUT,
        ANSWER_TOO_LARGE,
        INTERNAL_FAULT,
    )
)
"""Faults on our side or the upstream's: the call was not denied, it failed."""

MEANINGS: Mapping[str, str] = {
    NO_KEY: "key-auth: the request carries no API key",
    INVALID_KEY: "key-auth: nobody knows the key",
    KEY_EXPIRED: "key-auth: the key's time is over",
    DUPLICATE_KEY: "key-auth: several keys where one belongs",
    NO_LOGIN: "basic-auth: the request carries no credentials",
    INVALID_LOGIN: "basic-auth: unknown user or wrong password",
    NO_TOKEN: "jwt: the request carries no token",
    INVALID_TOKEN: "jwt: the token is malformed, forged, not yet valid, or nobody's",
    TOKEN_EXPIRED: "jwt: the token's time is over",
    NO_ANONYMOUS: "authentication failed, and the consumer that should stand in does not exist",
    NO_CRYPTOGRAPHY: "jwt: the signature's algorithm needs the [jwt] extra, which is not installed",
    IP_DENIED: "ip-restriction: not from this address",
    ACL_DENIED: "acl: none of the consumer's groups may, or one of them may not",
    NO_CONSUMER: "acl: nobody has said who calls",
    BODY_TOO_LARGE: "request-size-limiting: the body is larger than allowed",
    LENGTH_REQUIRED: "request-size-limiting: the request must declare its length",
    RATE_LIMITED: "rate-limiting: the window's requests are used up",
    TERMINATED: "request-termination: answered by configuration",
    NOT_CACHED: "proxy-cache: the client wants a kept answer only, and none is kept",
    TEMPLATE_FAILED: "request-transformer: a template of its configuration can't be rendered for this request",
    BAD_REQUEST: "tiers: the body is not what its path promises",
    ROUTE_NOT_ALLOWED: "tiers: the tier does not include the route",
    MODEL_NOT_ALLOWED: "tiers: the tier does not include the model",
    MODEL_NOT_PRICED: "tiers: the price book has no line for the model",
    PROMPT_TOO_LARGE: "tiers: the prompt has more tokens than allowed",
    OUTPUT_TOO_LARGE: "tiers: more output tokens were asked for than allowed",
    REQUEST_LIMIT: "tiers: requests of a short window are used up",
    TOKEN_LIMIT: "tiers: tokens of a short window are used up",
    QUOTA_EXHAUSTED: "tiers: a day's, week's or month's requests or tokens are used up",
    BUDGET_EXHAUSTED: "tiers: the money is used up",
    CONCURRENCY: "tiers: as many requests as allowed are in flight",
    NO_TIER: "tiers: whoever asks for its standing has none",
    APPROVAL_REQUIRED: "tiers: a soft limit is full; the operator is asked, and may grant head-room",
    AGENT_DISABLED: "agents: the agent is switched off",
    OWNER_REVOKED: "agents: the owner is gone, or none of its keys is good",
    TOKEN_REVOKED: "agents: the token, or the key that it was minted from, was revoked",
    TOKEN_BUDGET: "agents: the token's budget is used up",
    SCOPE_ROUTE: "agents: the route is not in its scopes",
    SCOPE_METHOD: "agents: the method is not in its scopes",
    SCOPE_MODEL: "agents: the model is not in its scopes",
    SCOPE_TOOL: "agents: a tool of the request is not in its scopes",
    SCOPE_OUTPUT: "agents: more output tokens were asked for than its scopes allow",
    RUN_FORGED: "agents: the run or depth that it names was not signed so by the gateway",
    RUN_REPLAYED: "agents: the run that it names was given to another",
    RUN_REQUESTS: "agents: the run's requests are used up",
    RUN_TOKENS: "agents: the run's tokens are used up",
    RUN_COST: "agents: the run's money is used up",
    RUN_TIME: "agents: the run lasts for longer than allowed",
    RUN_DEPTH: "agents: the chain of calls is deeper than allowed",
    RUN_FANOUT: "agents: one call has started as many calls as allowed",
    THROTTLED: "guards: calls that look like a loop need a pause between them",
    ABNORMAL_USAGE: "guards: the caller behaves like a runaway, and is denied until it is silent for a while",
    QUEUE_FULL: "the service is busy, and as many of the tier wait for it as may",
    QUEUE_TIMEOUT: "the service was busy for longer than the tier may wait",
    QUEUE_LEFT: "the client left while it waited for a busy service",
    METHOD_NOT_ALLOWED: "a method that is never passed on",
    FIELD_REPEATED: "a field that can only come once came twice",
    WRONG_PROTOCOL: "the route is not for plain HTTP",
    NO_ROUTE: "no route matches",
    NO_SERVICE: "the route leads nowhere",
    NO_PEER: "no target of the upstream is usable",
    LEDGER_UNAVAILABLE: "the ledger can't be written, so nothing is admitted",
    UPSTREAM_UNRESOLVED: "the upstream's name is not known",
    UPSTREAM_FAILED: "the upstream could not be reached, or did not answer in HTTP",
    UPSTREAM_TIMEOUT: "the upstream took too long",
    ANSWER_TOO_LARGE: "the upstream's answer is larger than a rule may edit",
    INTERNAL_FAULT: "a fault of the gateway's own; its log says more",
}
