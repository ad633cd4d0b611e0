#!/bin/sh
# Behind `aimon-local up`: an AI route to the built-in mock LLM, and a consumer of the tier free. Prints its key, this once.
set -eu
upstream=${AIMON_UPSTREAM:-http://localhost:5000}
name=${1:-me}
{
  aimon-local service create llm --url "$upstream"
  aimon-local route create llm llm --path /ai
  aimon-local plugin add key-auth --service llm --set 'key_names=["apikey", "x-api-key", "authorization"]'
  aimon-local consumer create "$name"
  aimon-local tier assign "$name" free
} >&2
aimon-local key create "$name"
