import base64

import pytest

from aimon_local.model import pem


def block(label, der):
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n"


SHORT = bytes([0x30, 3, 1, 2, 3])
LONG = bytes([0x30, 0x82, 0x01, 0x00]) + bytes(256)


@pytest.mark.parametrize("der", [SHORT, LONG])
def test_a_well_formed_key_passes(der):
    assert pem.check_public_key(block("PUBLIC KEY", der)) is None
    assert pem.check_key(block("PRIVATE KEY", der)) is None


def test_windows_line_ends_pass():
    assert pem.check_public_key(block("PUBLIC KEY", SHORT).replace("\n", "\r\n")) is None


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        block("CERTIFICATE", SHORT),
        block("PUBLIC KEY", SHORT + b"x"),
        block("PUBLIC KEY", b"\x31\x01\x00"),
        "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----",
    ],
)
def test_what_is_no_key_is_refused(text):
    assert pem.check_public_key(text) == "invalid key"


def test_certificates():
    assert pem.check_certificate(block("CERTIFICATE", SHORT)) is None
    assert pem.check_certificate(block("PUBLIC KEY", SHORT)).startswith("invalid certificate")
    assert pem.check_key("x").startswith("invalid key")
