"""Modules that another test file than their mirror proves: module → test file, with the reason."""

TESTED_BY: dict[str, str] = {
    # httpbin's behaviour is what another implementation does: the comparison is the proof
    "mock/httpbin/ask.py": "mock/test_differential.py",
    "mock/httpbin/form.py": "mock/test_differential.py",
    "mock/httpbin/formats.py": "mock/test_differential.py",
    "mock/httpbin/reply.py": "mock/test_differential.py",
    "mock/httpbin/texts.py": "mock/test_differential.py",
    # authentication and waiting need a real client
    "mock/httpbin/auth.py": "mock/test_requests_suite.py",
    "mock/httpbin/server.py": "mock/test_requests_suite.py",
    # nouns without behaviour
    "policy/nouns.py": "policy/test_entities.py",
    # the two halves and the life of a connection are one behaviour: bytes in, bytes and calls out
    "wire/lifetime.py": "wire/test_connection.py",
    "wire/strict.py": "wire/test_connection.py",
    "wire/limits.py": "wire/test_connection.py",
    "wire/shared.py": "wire/test_server.py",
    "wire/carrier.py": "wire/test_upstream.py",
    "wire/exchange.py": "wire/test_upstream.py",
    "wire/message.py": "wire/test_flow.py",
    # h11's reading is the reference that the scanner's is compared with
    "wire/law.py": "wire/test_scanner.py",
}
