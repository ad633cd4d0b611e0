"""What is measured, and how each of it is started in front of the same upstream.

To measure something else: a function that returns its ``System``, and a line in ``SYSTEMS``.
"""

import http.client
import json
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import ai
from tests.bench.load import KEY
from tests.bench.process import LOAD_CORE, Process

HUGE = 100_000_000  # a limit that is counted but never reached
READY_SECONDS = 60.0
_FIRST = {"model": "bench", "messages": [{"role": "user", "content": "are you there?"}], "max_tokens": 1}

_NGINX = """worker_processes 1; daemon off; pid {work}/pid; error_log {work}/error crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 600; keepalive_requests 1000000000;
  client_body_temp_path {work}/a; proxy_temp_path {work}/b;
  fastcgi_temp_path {work}/c; uwsgi_temp_path {work}/d; scgi_temp_path {work}/e;
  {http}
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ {location} }} }}
}}
"""


@dataclass(frozen=True)
class System:
    """A command that listens on ``port``; ``ports`` beside it are its own."""

    argv: tuple[str, ...]
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    provision: Callable[[], None] | None = None  # once, before the measured start


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def post(port: int, path: str, body: object) -> int:
    """POST JSON with the bench's key; the status, 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    fields = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}", "X-Request-Id": "0"}
    try:
        connection.request("POST", path, json.dumps(body), fields)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def until_ready(system: System, process: Process) -> float:
    """Milliseconds from the start to the first 200."""
    while (now := time.monotonic()) - process.began < READY_SECONDS:
        if (words := process.ended()) is not None:
            raise RuntimeError(words)
        if post(system.port, "/v1/chat/completions", _FIRST) == 200:
            return (time.monotonic() - process.began) * 1000
        time.sleep(max(0.0, now + 0.002 - time.monotonic()))
    raise RuntimeError("it never answered 200")


def nginx(work: Path, port: int, http_part: str, location: str) -> System:
    """An nginx with one worker."""
    path = work / "nginx.conf"
    path.write_text(_NGINX.format(work=work, port=port, http=http_part, location=location))
    return System((shutil.which("nginx") or "nginx", "-c", str(path), "-p", str(work)), port)


def upstream(work: Path) -> tuple[System, Process]:
    """The upstream of all: nginx where it is installed, else our own. It runs on the load's core."""
    port = free_port()
    if shutil.which("nginx"):
        answer = (
            '{"id":"$http_x_request_id","object":"chat.completion","created":1,"model":"bench","choices":[{"index":0,'
        )
        answer += '"message":{"role":"assistant","content":"' + "x" * 350 + '"},"finish_reason":"stop"}],'
        answer += '"usage":{"prompt_tokens":80,"completion_tokens":90,"total_tokens":170}}'
        system = nginx(work, port, "", f"default_type application/json; return 200 '{answer}';")
    else:
        system = System((sys.executable, "-m", "tests.bench.upstream", str(port)), port)
    process = Process(system.argv, LOAD_CORE, work / "log", system.env)
    until_ready(system, process)
    return system, process


def passthrough(uvloop: bool) -> Callable[[Path, int], System]:
    """Our wire alone: nothing is routed, admitted or recorded."""

    def make(_: Path, target: int) -> System:
        port = free_port()
        more = ("--uvloop",) if uvloop else ()
        command = (sys.executable, "-m", "tests.bench.passthrough", "--listen", str(port), "--upstream", str(target))
        return System((*command, *more), port)

    return make


def full(*options: str, loop: str = "asyncio", tiers: bool = False) -> Callable[[Path, int], System]:
    """The gateway as people start it: key-auth, rate-limiting on four windows, the durable ledger.

    ``tiers``: the limits are a tier's, with tokens, money and concurrency beside the four windows.
    """
    provision = _provision_tier if tiers else _provision

    def make(work: Path, target: int) -> System:
        port, admin = free_port(), free_port()
        ports = ("--proxy-port", str(port), "--admin-port", str(admin), "--upstream-port", "0")
        command = (sys.executable, "-m", "aimon_local", "up", "--headless", "--empty", "--data", str(work / "data"))
        return System((*command, *ports, *options), port, {"AIMON_LOCAL_LOOP": loop}, lambda: provision(admin, target))

    return make


_WINDOWS = ("second", "minute", "hour", "day")
Steps = tuple[tuple[str, object], ...]


def _common(target: int) -> Steps:
    return (
        ("/services", {"name": "bench", "url": f"http://127.0.0.1:{target}"}),
        ("/services/bench/routes", {"paths": ["/"], "strip_path": False}),
        ("/consumers", {"username": "bench"}),
        ("/consumers/bench/key-auth", {"key": f"Bearer {KEY}"}),
        ("/services/bench/plugins", {"name": "key-auth", "config": {"key_names": ["authorization"]}}),
    )


def _provision(admin: int, target: int) -> None:
    limits = dict.fromkeys(_WINDOWS, HUGE)
    _post_all(admin, (*_common(target), ("/services/bench/plugins", {"name": "rate-limiting", "config": limits})))


def _provision_tier(admin: int, target: int) -> None:
    limits = [{"unit": "requests", "amount": HUGE, "period": period} for period in _WINDOWS]
    limits += [{"unit": unit, "amount": HUGE * 10, "period": "month"} for unit in ("tokens", "cost")]
    tier = {"name": "bench", "limits": limits, "concurrency": 1000, "max_output_tokens": 1000}
    steps: Steps = (
        *_common(target),
        ("/model_prices", {"model": "bench", "input": 1, "output": 4}),
        ("/tiers", tier),
        ("/consumer_groups/bench/consumers", {"consumer": "bench"}),
    )
    _post_all(admin, steps)


def _post_all(admin: int, steps: Steps) -> None:
    ends = time.monotonic() + READY_SECONDS
    for path, body in steps:
        while (status := post(admin, path, body)) == 0 and time.monotonic() < ends:
            time.sleep(0.02)
        if status != 201:
            raise RuntimeError(f"POST {path}: {status}")


def peer(work: Path, target: int) -> System:
    """nginx with a key map and one limiter, as a yardstick."""
    http_part = (
        f'map_hash_bucket_size 256; map $http_authorization $who {{ default ""; "Bearer {KEY}" "bench"; }}'
        "limit_req_zone $who zone=each:10m rate=1000000r/s;"
        f"upstream up {{ server 127.0.0.1:{target}; keepalive 256; keepalive_requests 1000000000; }}"
    )
    location = (
        'if ($who = "") { return 401; } limit_req zone=each burst=1000000 nodelay;'
        'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://up;'
    )
    return nginx(work, free_port(), http_part, location)


def litellm(work: Path, target: int) -> System:
    """LiteLLM with a limit per key, as the AI pipeline's yardstick."""
    port = free_port()
    argv, env = ai.prepare(work, port, target, KEY)
    return System(argv, port, env)


SYSTEMS: Mapping[str, Callable[[Path, int], System] | None] = {
    "direct": None,  # the upstream itself
    "nginx": peer,
    "pass-through": passthrough(uvloop=False),
    "pass-through, uvloop": passthrough(uvloop=True),
    "full": full(),
    "full, uvloop": full(loop="uvloop"),
    "tiers": full(tiers=True),
    "tiers, uvloop": full(loop="uvloop", tiers=True),
    "litellm": litellm,
    "full, --http h11": full("--http", "h11"),
}
