"""A peer for the AI pipeline: LiteLLM's proxy with a limit per key, where the command ``litellm`` is found.

Keys and their limits come from its hook for authentication, so it keeps no database and no spend log: that flatters it.
"""

import shutil
from pathlib import Path

_CONFIG = """model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench, api_base: "http://127.0.0.1:{target}/v1", api_key: sk-upstream}}
general_settings: {{master_key: sk-not-used, custom_auth: bench_auth.check}}
litellm_settings: {{telemetry: false, num_retries: 0}}
"""
_AUTH = """from litellm.proxy._types import UserAPIKeyAuth

async def check(request, api_key: str) -> UserAPIKeyAuth:
    if api_key != "{key}":
        raise Exception("unknown key")
    return UserAPIKeyAuth(api_key="bench", user_id="bench", rpm_limit={most}, tpm_limit={most})
"""
_ENV = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
}


def litellm() -> str | None:
    """The path of the command, if it is installed."""
    return shutil.which("litellm")


def prepare(work: Path, port: int, target: int, key: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Write its configuration; the command, and its environment."""
    config = work / "litellm.yaml"
    config.write_text(_CONFIG.format(target=target))
    (work / "bench_auth.py").write_text(_AUTH.format(key=key, most=1_000_000_000))
    where = ("--host", "127.0.0.1", "--port", str(port), "--num_workers", "1")
    return (litellm() or "litellm", "--config", str(config), *where), {**_ENV, "PYTHONPATH": str(work)}
