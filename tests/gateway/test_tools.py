"""Tools: identifiers, and signatures checked by real keys."""

import subprocess
import sys
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from aimon_local.errors import ConfigError
from aimon_local.gateway.tools import SystemTools

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private_pem(key):
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode()


def sign(algorithm, key, message):
    return jwt.get_algorithm_by_name(algorithm).sign(message, key)


def test_uuids_are_random_and_versioned():
    made = {SystemTools().uuid() for _ in range(50)}
    assert len(made) == 50
    assert {uuid.UUID(each).version for each in made} == {4}


def test_node_and_host_are_kept():
    tools = SystemTools("n", "h")
    assert (tools.node_id, tools.hostname) == ("n", "h")
    assert uuid.UUID(SystemTools().node_id).version == 4


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signature_holds_for_its_message_and_key_alone(algorithm):
    key, tools = KEYS[algorithm], SystemTools()
    mark = sign(algorithm, key, b"message")
    for _ in range(2):  # the second time the key is a known one
        assert tools.verify_signature(algorithm, pem(key), b"message", mark) is True
        assert tools.verify_signature(algorithm, pem(key), b"massage", mark) is False
    for broken in (b"", mark[:-1], mark + b"x", bytes(len(mark))):
        assert tools.verify_signature(algorithm, pem(key), b"message", broken) is False


def test_another_key_of_the_kind_does_not_check_it():
    mark = sign("RS256", RSA, b"message")
    tools = SystemTools()
    assert tools.verify_signature("RS256", pem(OTHER_RSA), b"message", mark) is False
    assert tools.verify_signature("RS512", pem(RSA), b"message", mark) is False
    assert tools.verify_signature("PS256", pem(RSA), b"message", mark) is False


def test_a_private_key_checks_by_its_public_half():
    mark = sign("RS256", RSA, b"message")
    assert SystemTools().verify_signature("RS256", private_pem(RSA), b"message", mark) is True


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("RS256", "garbage"),
        ("RS256", ""),
        ("RS256", pem(KEYS["ES256"])),
        ("PS256", pem(KEYS["EdDSA"])),
        ("ES256", pem(RSA)),
        ("ES256", pem(KEYS["ES384"])),
        ("EdDSA", pem(RSA)),
        ("EdDSA", "garbage"),
    ],
)
def test_keys_that_can_not_be_read_or_are_of_another_kind(algorithm, text):
    with pytest.raises(ValueError, match=r"."):
        SystemTools().verify_signature(algorithm, text, b"message", b"x" * 64)


def test_the_larger_edwards_curve_works_too():
    key = ed448.Ed448PrivateKey.generate()
    assert SystemTools().verify_signature("EdDSA", pem(key), b"message", key.sign(b"message")) is True


def test_more_keys_than_are_remembered_still_check():
    tools = SystemTools()
    mark = sign("EdDSA", KEYS["EdDSA"], b"message")
    for _ in range(300):
        tools.verify_signature("EdDSA", pem(ed25519.Ed25519PrivateKey.generate()), b"message", mark)
    assert tools.verify_signature("EdDSA", pem(KEYS["EdDSA"]), b"message", mark) is True


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("jwt.algorithms.has_crypto", False)
    with pytest.raises(ConfigError) as fault:
        SystemTools().verify_signature("RS256", pem(RSA), b"message", b"mark")
    assert "aimon-local[jwt]" in (fault.value.hint or "")


def test_the_signature_of_the_standards_example_holds():
    # RFC 7515 appendix A.3: made with ES256 by nobody here
    curve = ec.SECP256R1()
    point = (b"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", b"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
    x, y = (int.from_bytes(jwt.utils.base64url_decode(each), "big") for each in point)
    key = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    text = key.public_bytes(serialization.Encoding.PEM, form).decode()
    signed = (
        b"eyJhbGciOiJFUzI1NiJ9"
        b".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    mark = b"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    assert SystemTools().verify_signature("ES256", text, signed, jwt.utils.base64url_decode(mark))


def test_a_start_does_not_load_the_library():
    code = "import sys, aimon_local.gateway.tools as t; t.SystemTools().uuid(); sys.exit('jwt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
