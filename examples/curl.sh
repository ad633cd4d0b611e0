#!/bin/sh
# The gateway by curl alone: a call that is refused, one that passes, what is left, and what it cost.
#   KEY=$(sh examples/setup.sh) sh examples/curl.sh
set -eu
proxy=${AIMON_PROXY:-http://localhost:8000}
admin=${AIMON_LOCAL_ADMIN:-http://localhost:8001}
body='{"model": "mock-small", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 64}'

echo "without a key: $(curl -s -o /dev/null -w '%{http_code}' "$proxy/ai/v1/chat/completions" -d "$body")"
echo "with a key:    $(curl -s -o /dev/null -w '%{http_code}' "$proxy/ai/v1/chat/completions" \
  -H "apikey: $KEY" -H 'Content-Type: application/json' -d "$body")"
echo "what is left:"
curl -s "$proxy/ai/aimon/me" -H "apikey: $KEY"
echo "what it cost:"
curl -s "$admin/usage/ai?by=model"
