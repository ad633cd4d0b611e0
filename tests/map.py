"""Modules that another test file than their mirror proves: module → (test file, why there)."""

_NOUNS = "nouns without behaviour: proved where they are used"
_FORMATS = "a format is proved by what a client sees of it, through the served app"
_GOLDEN = "golden usage of every dialect stands side by side there"

_SAME = "httpbin's behaviour is what httpbin does: both are asked the same and compared"
_HALVES = "the halves of a connection are one behaviour: bytes in, bytes and calls out"

TESTED_BY: dict[str, tuple[str, str]] = {
    "gateway/admin/reprice.py": ("cli/test_reprice.py", "golden corrections, by the command"),
    "gateway/admin/bill.py": ("cli/test_bill.py", "golden bills, by the command"),
    "gateway/admin/check.py": ("cli/test_check.py", "what it says is compared with real calls"),
    "gateway/admin/explain.py": ("cli/test_explain.py", "it explains real calls"),
    "policy/ai_check.py": ("cli/test_check.py", "a dry run is proved beside the call that it is of"),
    "gateway/admin/spend.py": ("cli/test_spend.py", "its sums are proved over real calls"),
    "storage/verify.py": ("cli/test_verify.py", "its checks are proved on what real calls leave"),
    "gateway/admin/verify.py": ("cli/test_verify.py", "the gateway and the files say the same"),
    "storage/span.py": ("storage/test_queries.py", "spans are proved by sums over them"),
    "gateway/admin_context.py": ("compat/test_stories.py", "what it fills is seen through the Admin API"),
    "gateway/admin/context.py": ("gateway/admin/test_app.py", _NOUNS),
    "gateway/patience.py": ("live/test_sdks.py", "its timers are proved by a tier's slow answers"),
    "gateway/closing.py": ("gateway/test_exchange.py", "the end of a conversation is part of the conversation"),
    "gateway/settings.py": ("config/test_schema.py", "its names are held together with the file's there"),
    "metering/anthropic.py": ("metering/test_meter.py", _GOLDEN),
    "metering/dialect.py": ("metering/test_meter.py", _GOLDEN),
    "metering/dialects.py": ("metering/test_meter.py", _GOLDEN),
    "metering/openai.py": ("metering/test_meter.py", _GOLDEN),
    "mock/llm/anthropic.py": ("mock/llm/test_service.py", _FORMATS),
    "mock/llm/apis.py": ("mock/llm/test_service.py", _FORMATS),
    "mock/llm/openai.py": ("mock/llm/test_service.py", _FORMATS),
    "mock/llm/responses.py": ("mock/llm/test_service.py", _FORMATS),
    "mock/llm/stats.py": ("mock/llm/test_service.py", _FORMATS),
    "mock/httpbin/ask.py": ("mock/test_differential.py", _SAME),
    "mock/httpbin/auth.py": ("mock/test_differential.py", _SAME),
    "mock/httpbin/form.py": ("mock/test_differential.py", _SAME),
    "mock/httpbin/formats.py": ("mock/test_differential.py", _SAME),
    "mock/httpbin/reply.py": ("mock/test_differential.py", _SAME),
    "mock/httpbin/server.py": ("mock/test_requests_suite.py", "served over loopback to the real requests library"),
    "mock/httpbin/texts.py": ("mock/test_differential.py", _SAME),
    "model/entities/tiers.py": ("config/test_offers.py", "what it refuses is seen in what files may hold"),
    "model/tier.py": ("policy/test_limits.py", _NOUNS),
    "model/usage.py": ("storage/test_queries.py", _NOUNS),
    "policy/ai_gate.py": ("policy/test_ai_rule.py", "gates are proved on whole requests"),
    "policy/ai_views.py": ("policy/test_ai_rule.py", "views are proved beside what they show"),
    "policy/call.py": ("policy/test_edits.py", _NOUNS),
    "policy/nouns.py": ("policy/test_snapshot.py", _NOUNS),
    "policy/terms.py": ("policy/test_tiering.py", _NOUNS),
    "policy/tier_entities.py": ("config/test_offers.py", "rows are read as files give them"),
    "policy/rule.py": ("policy/test_plan.py", "its phases are what a plan sorts rules by"),
    "wire/carrier.py": ("wire/test_upstream.py", _HALVES),
    "wire/exchange.py": ("wire/test_upstream.py", _HALVES),
    "wire/law.py": ("wire/test_scanner.py", "h11's reading is the reference that the scanner's is compared with"),
    "wire/lifetime.py": ("wire/test_connection.py", _HALVES),
    "wire/limits.py": ("wire/test_connection.py", _HALVES),
    "wire/message.py": ("wire/test_flow.py", _NOUNS),
    "wire/shared.py": ("wire/test_server.py", _HALVES),
    "wire/strict.py": ("wire/test_connection.py", _HALVES),
}
