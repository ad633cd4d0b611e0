#!/bin/sh
# An agent that acts for its owner: its own scopes and budget, a token for one run, and both pay for what it uses.
#   sh examples/setup.sh; sh examples/agent.sh
set -eu
proxy=${AIMON_PROXY:-http://localhost:8000}
call() {
  curl -s -o /dev/null -w '%{http_code}' "$proxy/ai/v1/chat/completions" -H "Authorization: Bearer $1" \
    -H 'Content-Type: application/json' -d "{\"model\": \"$2\", \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}"
}

{
  aimon-local consumer create boss
  aimon-local tier assign boss pro
  aimon-local key create boss      # an owner whose last key is gone stops its agents
} >/dev/null 2>&1
aimon-local agent create researcher --owner boss --no-key --scopes 'routes=llm;methods=POST;models=mock-small' --limits 'requests=10' >&2
token=$(aimon-local agent token researcher --ttl 15m --run crawl-1 --requests 2)
echo "in its scope:  $(call "$token" mock-small)"
echo "out of scope:  $(call "$token" mock-large)"
echo "second call:   $(call "$token" mock-small)"
echo "budget gone:   $(call "$token" mock-small)"
aimon-local agent runs researcher
aimon-local agent revoke researcher >&2
echo "revoked:       $(call "$token" mock-small)"
