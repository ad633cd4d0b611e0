"""LiteLLM's ``model_list``: a service and a route per provider and address, prices per model. Pure.

LiteLLM speaks OpenAI's words to clients and translates; here a call goes on as it came, so a provider is taken over
where its own words are OpenAI's or Anthropic's. To add one: a line in ``PROVIDERS``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any

from aimon_local.exports.gaps import Gap

ENVIRON = "os.environ/"
_ANTHROPIC = "anthropic"
PROVIDERS: Mapping[str, str | None] = {
    "openai": "https://api.openai.com/v1",
    _ANTHROPIC: "https://api.anthropic.com/v1",
    "ollama": "http://localhost:11434/v1",
    "ollama_chat": "http://localhost:11434/v1",
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "together_ai": "https://api.together.xyz/v1",
    "xai": "https://api.x.ai/v1",
    "hosted_vllm": None,  # where it is, ``api_base`` says
    "openai_like": None,
    "custom_openai": None,
    "lm_studio": None,
    "text-completion-openai": "https://api.openai.com/v1",
}
"""Providers whose words are OpenAI's or Anthropic's, and where they are."""

_GUESSED = (
    ("claude", _ANTHROPIC),
    ("gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("text-embedding-", "openai"),
)
_RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
_KNOWN = {"model", "api_key", "api_base", "base_url", "timeout", "max_retries", "num_retries", *_RATES.values()}
_LIMITS = ("rpm", "tpm", "max_parallel_requests", "max_budget", "budget_duration")
_KEY_NAMES = ["apikey", "x-api-key", "authorization"]

Row = dict[str, Any]


@dataclass(slots=True)
class Models:
    """What a model list becomes."""

    services: list[Row] = field(default_factory=list)
    prices: list[Row] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # what clients ask for there → what to ask for here
    gaps: list[Gap] = field(default_factory=list)


def read_models(rows: Sequence[Any], variables: Mapping[str, str], priced: Sequence[str]) -> Models:
    """``priced``: models, or patterns, that the price book knows already."""
    out, keys = Models(), dict[str, str]()
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping) or not isinstance(row.get("litellm_params"), Mapping):
            out.gaps.append(Gap(f"model_list[{number}]", "entry", "it has no litellm_params", "it is left out"))
            continue
        _model(out, keys, row, variables, priced)
    for service in out.services:
        if len(out.services) == 1:
            service["routes"][0]["paths"].append("/v1")  # as clients of one address have it
    return out


def _model(
    out: Models, keys: dict[str, str], row: Mapping[str, Any], variables: Mapping[str, str], priced: Sequence[str]
) -> None:
    params, where = row["litellm_params"], f"model {row.get('model_name')}"
    provider, model = _split(str(params.get("model") or ""), params)
    if provider not in PROVIDERS:
        why = f"{provider or 'its provider'} has words of its own, and calls go on as they come"
        out.gaps.append(Gap(where, "provider", why, "put a translating proxy before it, or keep it in LiteLLM"))
        return
    url = text(params.get("api_base") or params.get("base_url"), variables) or PROVIDERS[provider]
    if not url:
        out.gaps.append(Gap(where, "api_base", "it is not given, or its variable is not set", "it is left out"))
        return
    service = _service(out, provider, url.rstrip("/"))
    _key(out, keys, service, params.get("api_key"), where, variables)
    _times(service, params)
    name = str(row.get("model_name") or model)
    out.names[name] = model
    if name != model and "*" not in name:
        instead = f"clients ask {service['routes'][0]['paths'][0]} for {model}"
        out.gaps.append(Gap(where, "model_name", "a model's name is not rewritten here", instead))
    _price(out, model, provider, {**(row.get("model_info") or {}), **params}, where, priced)
    for key in params:
        if key in _LIMITS:
            why = "limits here are those of a consumer's tier, not of a deployment"
            out.gaps.append(Gap(where, key, why, "set it on the tiers, or bound the service: upstream_concurrency"))
        elif key not in _KNOWN:
            out.gaps.append(Gap(where, key, "this gateway has no such setting", "clients send it themselves"))


def _split(model: str, params: Mapping[str, Any]) -> tuple[str, str]:
    """The provider and the model as the provider knows it."""
    provider, slash, name = model.partition("/")
    if slash and provider in PROVIDERS:
        return provider, name
    custom = params.get("custom_llm_provider")
    if custom:
        return str(custom), model
    guess = next((of for begin, of in _GUESSED if model.startswith(begin)), None)
    if guess is not None and not slash:
        return guess, model
    return provider if slash else "", name if slash else model


def _service(out: Models, provider: str, url: str) -> Row:
    found = next((each for each in out.services if each["url"] == url), None)
    if found is not None:
        return found
    base = provider.replace("_", "-")
    taken = {each["name"] for each in out.services}
    name = next(each for each in (base, *(f"{base}-{more}" for more in range(2, len(taken) + 3))) if each not in taken)
    routes = [{"name": name, "paths": [f"/{name}/v1"]}]
    auth = {"name": "key-auth", "config": {"key_names": list(_KEY_NAMES), "hide_credentials": True}}
    made: Row = {"name": name, "url": url, "routes": routes, "plugins": [auth]}
    out.services.append(made)
    return made


def _key(out: Models, keys: dict[str, str], service: Row, given: Any, where: str, variables: Mapping[str, str]) -> None:
    """The provider's key goes into the service's requests; the client's own was taken out by key-auth."""
    if given is None:
        return
    key = text(given, variables)
    if not key:
        name = str(given).removeprefix(ENVIRON)
        out.gaps.append(Gap(where, "api_key", f"the variable {name} is not set here", "set it, and import again"))
        return
    known = keys.setdefault(service["name"], key)
    if known != key:
        why = "one service has one key for its provider"
        out.gaps.append(
            Gap(where, "api_key", why, f"the first one is used; make a second service beside {service['name']}")
        )
        return
    if len(service["plugins"]) == 1:
        name = "x-api-key" if service["name"].startswith(_ANTHROPIC) else "Authorization"
        header = f"{name}:{key}" if name == "x-api-key" else f"{name}:Bearer {key}"
        config = {"remove": {"headers": ["x-api-key", "authorization"]}, "add": {"headers": [header]}}
        service["plugins"].append({"name": "request-transformer", "config": config})


def _times(service: Row, params: Mapping[str, Any]) -> None:
    timeout, retries = _number(params.get("timeout")), _number(params.get("max_retries", params.get("num_retries")))
    if timeout and "read_timeout" not in service:
        service["read_timeout"] = int(timeout * 1000)
    if retries is not None and "retries" not in service:
        service["retries"] = int(retries)


def _price(out: Models, model: str, provider: str, info: Mapping[str, Any], where: str, priced: Sequence[str]) -> None:
    rates = {ours: _number(info.get(theirs)) for ours, theirs in _RATES.items()}
    if rates["input"] is None and rates["output"] is None:
        if not any(fnmatchcase(model, pattern) for pattern in priced):
            why = "the file has no price for it, and the price book here does not know it: its calls are refused"
            out.gaps.append(
                Gap(where, "price", why, f"add [[model_prices]] with model = {model!r}: aimon-local tier apply")
            )
        return
    line: Row = {"model": model, "provider": provider}
    line |= {name: float(rate * 1_000_000) for name, rate in rates.items() if rate is not None}
    line.setdefault("input", 0.0)
    line.setdefault("output", 0.0)
    most = _number(info.get("max_output_tokens"))
    if most:
        line["max_output"] = int(most)
    if line["model"] not in [each["model"] for each in out.prices]:
        out.prices.append(line)


def text(value: Any, variables: Mapping[str, str]) -> str | None:
    """A value, or that of the variable that it names; None where that is not set."""
    if not isinstance(value, str):
        return None
    return variables.get(value.removeprefix(ENVIRON)) if value.startswith(ENVIRON) else value


def _number(value: Any) -> Decimal | None:
    """A number from 0 up; YAML gives 1e-06 as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None
