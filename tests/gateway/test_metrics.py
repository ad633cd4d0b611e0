"""The text of GET /metrics: names, labels and numbers as Kong's."""

import re

from hypothesis import given
from hypothesis import strategies as st

from aimon_local.gateway.metrics import FAMILIES, MODELS, OTHER, Metrics, Node
from aimon_local.model.ai import AiRecord

NODE = Node("node-1", "0.1.0", 77, 1000, True, 9, {"accepted": 3, "active": 1})
ALL_ON = dict.fromkeys(
    ("per_consumer", "status_code_metrics", "latency_metrics", "bandwidth_metrics", "upstream_health_metrics"), True
)
FACTS = {
    "service": "s", "route": "r", "consumer": "c", "code": 200, "source": "service", "gateway_us": 1_500,
    "upstream_us": 30_000, "total_us": 31_500, "bytes_in": 100, "bytes_out": 250,
}  # fmt: skip


def samples(text):
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, number = line.rpartition(" ")
            found[name] = float(number)
    return found


def test_a_request_is_counted_under_kongs_names():
    metrics = Metrics()
    for code in (200, 200, 503):
        metrics.take(ALL_ON, FACTS | {"code": code})
    found = samples(metrics.render(NODE))
    assert (
        found[
            'kong_http_requests_total{service="s",route="r",code="200",source="service",workspace="default",consumer="c"}'
        ]
        == 2
    )
    assert (
        found[
            'kong_http_requests_total{service="s",route="r",code="503",source="service",workspace="default",consumer="c"}'
        ]
        == 1
    )
    assert (
        found['kong_bandwidth_bytes{service="s",route="r",direction="ingress",workspace="default",consumer="c"}'] == 300
    )
    assert (
        found['kong_bandwidth_bytes{service="s",route="r",direction="egress",workspace="default",consumer="c"}'] == 750
    )
    place = 'service="s",route="r",workspace="default"'
    assert found[f"kong_request_latency_ms_count{{{place}}}"] == 3
    assert found[f"kong_request_latency_ms_sum{{{place}}}"] == 94.5
    assert found[f'kong_kong_latency_ms_bucket{{{place},le="1"}}'] == 0
    assert found[f'kong_kong_latency_ms_bucket{{{place},le="2"}}'] == 3
    assert found[f'kong_upstream_latency_ms_bucket{{{place},le="25"}}'] == 0
    assert found[f'kong_upstream_latency_ms_bucket{{{place},le="50"}}'] == 3
    assert found[f'kong_upstream_latency_ms_bucket{{{place},le="+Inf"}}'] == 3


def test_switches_say_what_is_kept():
    metrics = Metrics()
    metrics.take(dict.fromkeys(ALL_ON, False), FACTS)
    assert not re.search("^kong_(http|bandwidth|request|upstream|kong)_", metrics.render(NODE), re.MULTILINE)


def test_without_an_upstream_there_is_no_upstream_latency():
    metrics = Metrics()
    metrics.take(ALL_ON, FACTS | {"upstream_us": None, "source": "kong"})
    text = metrics.render(NODE)
    assert "kong_upstream_latency_ms" not in text
    assert "kong_kong_latency_ms_count" in text


def test_the_node_speaks_of_itself():
    text = Metrics().render(NODE)
    found = samples(text)
    assert found["kong_datastore_reachable"] == 1
    assert found["kong_nginx_metric_errors_total"] == 0
    assert found['kong_node_info{node_id="node-1",version="0.1.0"}'] == 1
    assert found['kong_nginx_requests_total{node_id="node-1",subsystem="http"}'] == 9
    assert found['kong_nginx_connections_total{node_id="node-1",subsystem="http",state="accepted"}'] == 3
    assert "# TYPE kong_node_info gauge" in text.splitlines()
    assert all(line.startswith(("#", "kong_")) for line in text.splitlines())


def test_each_family_is_told_once_with_its_type():
    metrics = Metrics()
    metrics.take(ALL_ON, FACTS)
    told = re.findall(r"^# TYPE (\S+) (\S+)$", metrics.render(NODE), re.MULTILINE)
    assert len(told) == len(set(told))
    assert all(FAMILIES[name].kind == kind for name, kind in told)
    assert dict(told)["kong_bandwidth_bytes"] == "counter"


def test_labels_are_escaped():
    metrics = Metrics()
    metrics.take(ALL_ON, FACTS | {"service": 'a"b\\c\nd'})
    assert 'service="a\\"b\\\\c\\nd"' in metrics.render(NODE)


def test_a_negative_amount_is_an_error_and_changes_nothing():
    metrics = Metrics()
    metrics.take(ALL_ON, FACTS | {"bytes_in": -1})
    assert samples(metrics.render(NODE))["kong_nginx_metric_errors_total"] == 1
    assert 'direction="ingress"' not in metrics.render(NODE)


@given(st.lists(st.integers(0, 100_000_000)))
def test_buckets_are_cumulative_and_end_in_the_count(times):
    metrics = Metrics()
    for time in times:
        metrics.take(ALL_ON, FACTS | {"total_us": time})
    lines = [line for line in metrics.render(NODE).splitlines() if line.startswith("kong_request_latency_ms_bucket")]
    counts = [int(line.rpartition(" ")[2]) for line in lines]
    assert counts == sorted(counts)
    if times:
        bounds = [float(re.search('le="([^"]+)"', line)[1]) for line in lines]
        assert counts == [sum(time / 1000 <= bound for time in times) for bound in bounds]


AI = AiRecord(
    "openai.chat", "free", "m", "m-1", False, 9, 9, 9, 9, input=3, cache_read=2, output=4, reasoning=1, cost=100,
    charge=300_000_001, source="reported",
)  # fmt: skip


def test_ai_calls_are_counted_under_kongs_names_and_our_own():
    metrics = Metrics()
    for record in (
        AI,
        AI._replace(source="estimated"),
        AI._replace(source="none"),
        AI._replace(source="none", denied_limit="tokens/day"),
    ):
        metrics.take(ALL_ON, FACTS | {"ai": record._asdict()})
    found = samples(metrics.render(NODE))
    labels = 'ai_provider="openai",ai_model="m",cache_status="",vector_db="",embeddings_provider="",embeddings_model=""'
    assert found[f'kong_ai_llm_requests_total{{{labels},workspace="default"}}'] == 2
    assert found[f'kong_ai_llm_cost_total{{{labels},workspace="default"}}'] == 2e-7
    tokens = {
        kind: found[f'kong_ai_llm_tokens_total{{{labels},token_type="{kind}",workspace="default"}}']
        for kind in ("prompt_tokens", "completion_tokens", "total_tokens")
    }
    assert tokens == {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    assert found[f'kong_ai_llm_provider_latency_ms_count{{{labels},workspace="default"}}'] == 2
    assert found['aimon_ai_charge_total{tier="free",ai_model="m"}'] == 0.600000002
    assert found['aimon_ai_denials_total{tier="free",limit="tokens/day"}'] == 1
    assert found['aimon_ai_estimated_total{tier="free",ai_model="m"}'] == 1


def test_cost_charge_and_margin_by_tier_and_model():
    metrics = Metrics()
    for charge in (500, 0):
        metrics.take(ALL_ON, FACTS | {"ai": AI._replace(cost=400 * 10**9, charge=charge * 10**9)._asdict()})
    found = samples(metrics.render(NODE))
    labels = '{tier="free",ai_model="m"}'
    assert found[f"aimon_ai_cost_total{labels}"] == 800
    assert found[f"aimon_ai_charge_total{labels}"] == 500
    assert found[f"aimon_ai_margin_dollars{labels}"] == -300
    assert "# TYPE aimon_ai_margin_dollars gauge" in metrics.render(NODE)


def test_denials_are_counted_by_reason():
    metrics = Metrics()
    for reason in ("rate_limited", "rate_limited", "no_credentials", None):
        metrics.take(ALL_ON, FACTS | {"reason": reason})
    found = samples(metrics.render(NODE))
    assert found['aimon_denials_total{service="s",route="r",reason="rate_limited"}'] == 2
    assert found['aimon_denials_total{service="s",route="r",reason="no_credentials"}'] == 1


def test_a_price_for_all_models_makes_no_endless_series():
    metrics = Metrics()
    for number in range(MODELS + 50):
        metrics.take(ALL_ON, FACTS | {"ai": AI._replace(model=f"m-{number}")._asdict()})
    found = {name: value for name, value in samples(metrics.render(NODE)).items() if name.startswith("aimon_ai_cost")}
    assert len(found) == MODELS + 1
    assert round(sum(found.values()) * 10**9) == (MODELS + 50) * 100
    assert found[f'aimon_ai_cost_total{{tier="free",ai_model="{OTHER}"}}'] == 50 * 100 / 10**9
