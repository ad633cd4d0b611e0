"""Prometheus' own judge of the scrape file, of the metrics as they are served, and of what the dashboard asks."""

import json
import shutil
import subprocess

import pytest

from tests.examples.conftest import EXAMPLES
from tests.support.live import ask

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (it comes with Prometheus) is not installed"),
]
KONGS = (
    *("kong_bandwidth_bytes", "kong_nginx_connections_total", "kong_nginx_requests_total", "kong_request_latency_ms"),
    *("kong_kong_latency_ms", "kong_upstream_latency_ms", "kong_ai_llm_provider_latency_ms"),
)
"""Names that Prometheus would have otherwise, and that Kong's dashboards ask for."""


def judged(*words, said=None):
    """(exit code, what promtool says)."""
    ran = subprocess.run(["promtool", *words], input=said, capture_output=True, timeout=30, check=False)
    return ran.returncode, (ran.stdout + ran.stderr).decode()


def test_the_scrape_file_is_good():
    code, said = judged("check", "config", "--syntax-only", str(EXAMPLES / "prometheus.yml"))
    assert code == 0, said


def test_the_metrics_are_good_but_for_names_that_are_kongs(reader):
    body = json.dumps({"model": "mock-small", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5})
    ask(
        reader.gateway.proxy,
        "POST",
        "/ai/v1/chat/completions",
        body,
        apikey=reader.key,
        Content_Type="application/json",
    )
    code, said = judged("check", "metrics", said=ask(reader.gateway.admin, "GET", "/metrics").body)
    assert code in (0, 3), said  # 3: remarks alone
    assert [line for line in said.splitlines() if line.split(" ")[0] not in KONGS] == []


def test_all_that_the_dashboard_asks_is_promql(tmp_path):
    panels = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    code, said = judged("check", "rules", str(file))
    assert code == 0, said
