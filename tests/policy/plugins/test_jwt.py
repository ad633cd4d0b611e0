"""jwt: tokens in their places, whose they are, whether they hold, and the words for each failure."""

import json

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from aimon_local.errors import ConfigError
from aimon_local.gateway.tools import SystemTools
from aimon_local.policy import reasons
from aimon_local.policy.plugins.jwt import PLUGIN
from tests.support.callers import ALICE, AS_ALICE, AS_GUEST, ask, callers, of, told
from tests.support.calls import NOON, compile_rule
from tests.support.plugins import stored

SECRET = "a shared secret that is long enough for every digest in use here: 64 bytes"
RSA = rsa.generate_private_key(65537, 2048)
SIGNERS = {
    "RS256": RSA,
    "PS512": RSA,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def secret(key, algorithm, **fields):
    return {
        "id": key,
        "key": key,
        "algorithm": algorithm,
        "secret": SECRET,
        "rsa_public_key": None,
        **of(ALICE),
        **fields,
    }


SNAPSHOT = callers(
    jwt_secrets=[
        *(secret(name, name) for name in ("HS256", "HS384", "HS512")),
        *(secret(name, name, rsa_public_key=public(key)) for name, key in SIGNERS.items()),
        secret("broken", "RS256", rsa_public_key="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        secret("keyless", "ES512"),
        secret("orphan", "HS256", consumer={"id": "gone"}),
        secret("b64", "HS256", secret="c2VjcmV0"),
        secret("private", "RS256", rsa_public_key=private(RSA)),
    ]
)
WITHOUT, WRONG = b"Bearer", b'Bearer error="invalid_token"'


def token(issuer="HS256", algorithm="HS256", key=SECRET, headers=None, **claims):
    claims = {"iss": issuer, **claims} if issuer is not None else claims
    return pyjwt.encode(claims, key, algorithm, headers)


def bearer(value, name="Authorization"):
    return [(name, f"Bearer {value}")]


GOOD = token()


def rule(**config):
    return compile_rule(PLUGIN, config)


PLAIN = rule()


def run(rule, target="/", fields=(), **facts):
    facts = {"snapshot": SNAPSHOT, "tools": SystemTools("n", "h")} | facts
    return ask(rule, target, fields, **facts)


def refused(rule, *args, **facts):
    """(body, challenge, reason) of a refusal in JSON."""
    outcome, call = run(rule, *args, **facts)
    assert (outcome.status, outcome.content_type) == (401, b"application/json; charset=utf-8")
    assert told(call) == {}
    ((name, challenge),) = outcome.fields
    assert name == b"WWW-Authenticate"
    return json.loads(outcome.body), challenge, outcome.reason


def wrong(message):
    return {"message": message}, WRONG, reasons.INVALID_TOKEN


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", *SIGNERS])
def test_a_signed_token_names_its_consumer(algorithm):
    signer = SIGNERS.get(algorithm, SECRET)
    outcome, call = run(PLAIN, fields=bearer(token(algorithm, algorithm, signer)))
    assert (outcome, told(call)) == (None, AS_ALICE | {"x-credential-identifier": algorithm})
    head, mark, _ = token(algorithm, algorithm, signer, x=1).rpartition(".")
    forged = f"{head}{mark}{token(algorithm, algorithm, signer).rpartition('.')[2]}"
    assert refused(PLAIN, fields=bearer(forged)) == wrong("Invalid signature")


def test_a_public_key_is_no_shared_secret():
    # PyJWT itself would not sign so: the classic confusion of algorithms
    forged = pyjwt.api_jws.PyJWS(algorithms=["HS256"])
    forged.unregister_algorithm("HS256")
    forged.register_algorithm("HS256", _Hmac())
    text = forged.encode(b'{"iss":"RS256"}', public(RSA), "HS256")
    assert refused(PLAIN, fields=bearer(text)) == wrong("Invalid algorithm")


class _Hmac(pyjwt.algorithms.HMACAlgorithm):
    def __init__(self):
        super().__init__(self.SHA256)

    def prepare_key(self, key):
        return key.encode()


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        (f"/?jwt={GOOD}", []),
        (f"/?jwt={GOOD}&jwt={GOOD}", []),
        (f"/?jwt={GOOD}", bearer(GOOD)),
        ("/", [("Authorization", f"bearer   {GOOD}")]),
        ("/?jwt=", bearer(GOOD)),
        ("/", bearer(GOOD)),
    ],
)
def test_places(target, fields):
    assert run(PLAIN, target, fields)[0] is None


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/", []),
        ("/?jwt=", []),
        ("/", [("Authorization", GOOD)]),
        ("/", [("Authorization", "Bearer")]),
        ("/", [("Authorization", f"JWT {GOOD}")]),
        ("/", [("Authorization", f"BEARER {GOOD}")]),
        ("/", [("Cookie", f"jwt={GOOD}")]),
        ("/", [("X", f"Bearer {GOOD}")]),
    ],
)
def test_no_token(target, fields):
    assert refused(PLAIN, target, fields) == ({"message": "Unauthorized"}, WITHOUT, reasons.NO_TOKEN)


def test_several_tokens_and_flags():
    other = token(x=1)
    assert refused(PLAIN, f"/?jwt={other}", bearer(GOOD)) == wrong("Multiple tokens provided")
    assert refused(PLAIN, f"/?jwt={other}&jwt={GOOD}") == wrong("Multiple tokens provided")
    assert refused(PLAIN, f"/?jwt&jwt={GOOD}") == wrong("Multiple tokens provided")
    assert refused(PLAIN, "/?jwt") == wrong("Unrecognizable token")


def test_other_names():
    own = rule(uri_param_names=["t", "ü"], cookie_names=["C", "d.e"], header_names=["x_token"])
    assert run(own, f"/?t={GOOD}")[0] is None
    assert run(own, f"/?%C3%BC={GOOD}")[0] is None
    assert run(own, fields=bearer(GOOD, "X-Token"))[0] is None
    assert refused(own, f"/?jwt={GOOD}", bearer(GOOD))[1] == WITHOUT
    for line in (f"c={GOOD}", f"a=b; C = {GOOD}; z=1", f"x,d.e={GOOD}", f"c={GOOD};c=other"):
        assert run(own, fields=[("Cookie", line)])[0] is None, line
    for line in (f"dxe={GOOD}", f"xc={GOOD}", "c=", f"a=c={GOOD}"):
        assert refused(own, fields=[("Cookie", line)])[1] == WITHOUT, line
    nowhere = rule(uri_param_names=[], cookie_names=[], header_names=[])
    assert refused(nowhere, f"/?jwt={GOOD}", bearer(GOOD))[1] == WITHOUT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("garbage", "Bad token; invalid JSON"),
        ("eyJhbGciOiJub25lIn0.eyJpc3MiOiJIUzI1NiJ9.", "Bad token; invalid alg"),
        (f"{GOOD}.x", "Bad token; invalid signature"),
        (f"{GOOD}x", "Invalid signature"),
        (token(None, sub="x"), "No mandatory 'iss' in claims"),
        (token(""), "Invalid 'iss' in claims"),
        (token("nobody"), "No credentials found for given 'iss'"),
        (token("orphan"), "No credentials found for given 'iss'"),
        (token("HS384"), "Invalid algorithm"),
        (token("HS256", "HS384"), "Invalid algorithm"),
        (token("broken", "RS256", RSA), "Invalid key/secret"),
        (token(key=SECRET[:-1]), "Invalid signature"),
        (token("ES256", "ES256", ec.generate_private_key(ec.SECP256R1())), "Invalid signature"),
    ],
)
def test_refused_tokens(text, message):
    assert refused(PLAIN, fields=bearer(text)) == wrong(message)


def test_a_credential_without_the_key_that_it_needs():
    signer = ec.generate_private_key(ec.SECP521R1())
    assert refused(PLAIN, fields=bearer(token("keyless", "ES512", signer))) == wrong("Invalid key/secret")


def test_an_issuer_that_is_no_text():
    numbered = pyjwt.api_jws.encode(b'{"iss": 5}', SECRET, "HS256")
    assert refused(PLAIN, fields=bearer(numbered)) == wrong("No credentials found for given 'iss'")


def test_a_stored_private_key_checks_too():
    assert run(PLAIN, fields=bearer(token("private", "RS256", RSA)))[0] is None


def test_another_claim_and_the_header():
    by_kid = rule(key_claim_name="kid")
    assert run(by_kid, fields=bearer(token(None, kid="HS256")))[0] is None
    assert run(by_kid, fields=bearer(token("x", headers={"kid": "HS256"})))[0] is None
    assert refused(by_kid, fields=bearer(GOOD)) == wrong("No mandatory 'kid' in claims")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_secrets_in_base64():
    encoded = rule(secret_is_base64=True)
    assert run(encoded, fields=bearer(token("b64", key="secret")))[0] is None
    assert refused(encoded, fields=bearer(token("b64", key="c2VjcmV0"))) == wrong("Invalid signature")
    assert refused(encoded, fields=bearer(GOOD)) == wrong("Invalid key/secret")
    assert run(encoded, fields=bearer(token("RS256", "RS256", RSA)))[0] is None


def test_times_replace_the_message():
    both = rule(claims_to_verify=["exp", "nbf"])
    assert run(both, fields=bearer(token(exp=NOON + 1, nbf=NOON)))[0] is None
    told, challenge, reason = refused(both, fields=bearer(token(exp=NOON)))
    assert told == {"exp": "token expired", "nbf": "must be a number"}
    assert (challenge, reason) == (WRONG, reasons.TOKEN_EXPIRED)
    late = refused(both, fields=bearer(token(exp=NOON + 1, nbf=NOON + 1)))
    assert late == ({"nbf": "token not valid yet"}, WRONG, reasons.INVALID_TOKEN)
    assert run(PLAIN, fields=bearer(token(exp=1, nbf=NOON + 9)))[0] is None


def test_the_longest_life():
    short = rule(maximum_expiration=300, claims_to_verify=["exp"])
    assert run(short, fields=bearer(token(exp=NOON + 300)))[0] is None
    assert refused(short, fields=bearer(token(exp=NOON + 301)))[0] == {"exp": "exceeds maximum allowed expiration"}
    unchecked = rule(maximum_expiration=300)
    assert refused(unchecked, fields=bearer(GOOD))[0] == {"exp": "exceeds maximum allowed expiration"}


def test_the_realm():
    mine = rule(realm="r")
    assert refused(mine)[1] == b'Bearer realm="r"'
    assert refused(mine, fields=bearer("x"))[1] == b'Bearer realm="r" error="invalid_token"'


def test_anonymous_and_preflight():
    assert told(run(rule(anonymous="guest"), fields=bearer("x"))[1]) == AS_GUEST
    assert run(rule(run_on_preflight=False), method="OPTIONS")[0] is None
    assert run(PLAIN, method="OPTIONS")[0].status == 401


class Bare(SystemTools):
    def verify_signature(self, algorithm, key, message, signature):
        raise ConfigError("no cryptography", "install it")


def test_without_cryptography_the_operator_is_told_and_nobody_stands_in():
    fields = bearer(token("RS256", "RS256", RSA))
    for each in (PLAIN, rule(anonymous="guest")):
        outcome, call = run(each, fields=fields, tools=Bare("n", "h"))
        assert (outcome.status, outcome.reason) == (500, reasons.NO_CRYPTOGRAPHY)
        assert outcome.message == "no cryptography: install it"
        assert told(call) == {}


def test_configurations():
    assert stored(PLUGIN, {}) == {
        "uri_param_names": ["jwt"],
        "cookie_names": [],
        "key_claim_name": "iss",
        "secret_is_base64": False,
        "claims_to_verify": None,
        "anonymous": None,
        "run_on_preflight": True,
        "maximum_expiration": 0,
        "header_names": ["authorization"],
        "realm": None,
    }
    text = stored(PLUGIN, {"maximum_expiration": 100, "claims_to_verify": ["nbf"]})
    assert "config.claims_to_verify: expected to contain: exp" in text
    assert "expected one of: exp, nbf" in stored(PLUGIN, {"claims_to_verify": ["foo"]})
