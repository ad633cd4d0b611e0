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
}
