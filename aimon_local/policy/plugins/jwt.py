"""jwt: who holds a token that a consumer's secret or private key has signed is that consumer.

Tokens are looked for in the query, in cookies and in header fields ("Bearer …"); two different ones are refused.
Failures are answered in JSON whatever the client accepts, as Kong's are.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aimon_local.errors import ConfigError
from aimon_local.model.schema import EntityRule, boolean, number, record, set_of, string
from aimon_local.policy import reasons, tokens
from aimon_local.policy.authentication import Authentication, challenge, recognise
from aimon_local.policy.call import Answer, Call, Outcome, Refuse
from aimon_local.policy.forms import decode
from aimon_local.policy.jsonbody import render
from aimon_local.policy.places import cookie, cookie_pattern, spellings
from aimon_local.policy.rule import PluginType, Scope
from aimon_local.policy.tokens import BadToken, Token

if TYPE_CHECKING:
    from aimon_local.policy.nouns import Credential

_BEARER = re.compile(rb"[Bb]earer\s+(.+)")  # anywhere in the value, as Kong looks for it
_JSON = b"application/json; charset=utf-8"
_SECOND_NS = 1_000_000_000


class Jwt(Authentication):
    """One configured instance."""

    __slots__ = ("_arguments", "_base64", "_checked", "_claim", "_cookies", "_headers", "_most", "_plain", "_wrong")

    def __init__(self, config: Mapping[str, Any], _: Scope) -> None:
        super().__init__(config)
        self._arguments = tuple(_latin(name) for name in config["uri_param_names"] or ())
        self._cookies = tuple(cookie_pattern(name) for name in config["cookie_names"] or ())
        self._headers = tuple(spellings(name) for name in config["header_names"] or ())
        self._claim: str = config["key_claim_name"] or "iss"
        self._base64: bool = config["secret_is_base64"]
        self._checked = tuple(config["claims_to_verify"] or ())
        self._most: float = config["maximum_expiration"] or 0
        self._plain = challenge("Bearer", realm=config.get("realm"))
        self._wrong = challenge("Bearer", realm=config.get("realm"), error="invalid_token")

    def authenticate(self, call: Call) -> Outcome:
        """Find the one token, whose it is, and whether it holds."""
        found = set(self._found(call))
        if not found:
            return _failure({"message": "Unauthorized"}, self._plain, reasons.NO_TOKEN)
        if len(found) > 1:
            return self._refused("Multiple tokens provided")
        text = found.pop()
        if text is None:
            return self._refused("Unrecognizable token")
        try:
            token = tokens.read(text)
        except BadToken as error:
            return self._refused(f"Bad token; {error}")
        return self._judge(call, token)

    def _found(self, call: Call) -> Iterator[bytes | None]:
        """The tokens of all places; None stands for an argument without a value."""
        query = decode(call.upstream_query) if self._arguments and call.upstream_query else {}
        for name in self._arguments:
            held = query.get(name, "")
            for value in held if isinstance(held, list) else [held]:
                if value:
                    yield value.encode("latin-1") if isinstance(value, str) else None
        for pattern in self._cookies:
            if held_there := cookie(call, pattern):
                yield held_there
        for fields in self._headers:
            lines = (call.get(field) for field in fields)
            line = next((each for each in lines if each is not None), b"")
            if bearer := _BEARER.search(line):
                yield bearer[1]

    def _judge(self, call: Call, token: Token) -> Outcome:
        owner = token.lookup(self._claim)
        if owner is None:
            return self._refused(f"No mandatory '{self._claim}' in claims")
        if owner == "":
            return self._refused(f"Invalid '{self._claim}' in claims")
        credential = call.snapshot.jwt_credential(owner) if isinstance(owner, str) else None
        consumer = None if credential is None else call.snapshot.consumers.get(credential.consumer_id)
        if credential is None or consumer is None:
            return self._refused(f"No credentials found for given '{self._claim}'")
        fault = self._signature_fault(call, token, credential) or self._time_fault(call, token)
        if fault is None:
            recognise(call, consumer, credential)
        return fault

    def _signature_fault(self, call: Call, token: Token, credential: "Credential") -> Outcome:
        entity = credential.fields
        algorithm = entity.get("algorithm") or "HS256"
        if token.algorithm != algorithm:
            return self._refused("Invalid algorithm")
        try:
            if tokens.is_symmetric(algorithm):
                secret = self._secret(entity)
                holds = None if secret is None else tokens.symmetric_holds(token, secret)
            else:
                key = entity.get("rsa_public_key")
                check = call.tools.verify_signature
                holds = check(algorithm, key, token.signed, token.signature) if key else None
        except ValueError:
            holds = None
        except ConfigError as error:
            return Refuse(500, f"{error}: {error.hint}", reasons.NO_CRYPTOGRAPHY)
        if holds is None:
            return self._refused("Invalid key/secret")
        return None if holds else self._refused("Invalid signature")

    def _secret(self, entity: Mapping[str, Any]) -> bytes | None:
        raw = (entity.get("secret") or "").encode("utf-8", "surrogateescape")
        return (tokens.decode(raw) if self._base64 else raw) or None

    def _time_fault(self, call: Call, token: Token) -> Outcome:
        now = call.now_ns // _SECOND_NS
        faults = tokens.faults_in_time(token, self._checked, now)
        if not faults and self._most > 0 and tokens.lives_too_long(token, self._most, now):
            faults = {"exp": "exceeds maximum allowed expiration"}
        if not faults:
            return None
        over = faults.get("exp") == "token expired"
        return _failure(faults, self._wrong, reasons.TOKEN_EXPIRED if over else reasons.INVALID_TOKEN)

    def _refused(self, message: str) -> Answer:
        return _failure({"message": message}, self._wrong, reasons.INVALID_TOKEN)


def _failure(told: Mapping[str, str], fields: tuple[tuple[bytes, bytes], ...], reason: str) -> Answer:
    return Answer(401, render(told), _JSON, fields, reason)


def _latin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


PLUGIN = PluginType(
    "jwt",
    1450,
    record(
        "config",
        set_of("uri_param_names", string(), default=["jwt"]),
        set_of("cookie_names", string(), default=[]),
        string("key_claim_name", default="iss"),
        boolean("secret_is_base64", required=True, default=False),
        set_of("claims_to_verify", string(one_of=["exp", "nbf"])),
        string("anonymous"),
        boolean("run_on_preflight", required=True, default=True),
        number("maximum_expiration", default=0, between=[0, 31536000]),
        set_of("header_names", string(), default=["authorization"]),
        string("realm"),
        required=True,
    ),
    Jwt,
    no_consumer=True,
    checks=(
        EntityRule(
            "conditional",
            {
                "if_field": "config.maximum_expiration",
                "if_match": {"gt": 0},
                "then_field": "config.claims_to_verify",
                "then_match": {"contains": "exp"},
            },
        ),
    ),
)
