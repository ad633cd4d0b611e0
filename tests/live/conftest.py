"""Gateways in processes of their own; one per reader of heads serves all tests that leave nothing behind."""

import pytest

from tests.support.live import GatewayProcess, Upstream


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/live/" in item.nodeid:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session", params=["auto", "h11"])
def gateway(request, tmp_path_factory):
    """A running gateway, shared: a test makes services and consumers of its own on it."""
    data = tmp_path_factory.mktemp("live") / "data"
    with GatewayProcess(data, "--http", request.param) as running:
        yield running


@pytest.fixture
def upstream():
    """An upstream that counts and says ok."""
    with Upstream() as running:
        yield running
