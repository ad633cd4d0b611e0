#!/bin/sh
# Login by JWT: your own login service signs tokens, the gateway checks them. Here openssl plays the login service.
set -eu
proxy=${AIMON_PROXY:-http://localhost:8000}
admin=${AIMON_LOCAL_ADMIN:-http://localhost:8001}
upstream=${AIMON_UPSTREAM:-http://localhost:5000}
secret=${JWT_SECRET:-a-secret-of-at-least-thirty-two-bytes}

{
  aimon-local service create app --url "$upstream"
  aimon-local route create app app --path /app
  aimon-local plugin add jwt --service app --set 'claims_to_verify=["exp"]'
  aimon-local consumer create alice
  curl -sS --fail-with-body "$admin/consumers/alice/jwt" --data key=my-login-service --data algorithm=HS256 \
    --data-urlencode "secret=$secret"
} >/dev/null

b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
head=$(printf '{"alg":"HS256","typ":"JWT"}' | b64url)
claims=$(printf '{"iss":"my-login-service","sub":"alice","exp":%s}' "$(($(date +%s) + 900))" | b64url)
signature=$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -hmac "$secret" -binary | b64url)
token="$head.$claims.$signature"

echo "without a token: $(curl -s -o /dev/null -w '%{http_code}' "$proxy/app/get")"
echo "with a token:    $(curl -s -o /dev/null -w '%{http_code}' "$proxy/app/get" -H "Authorization: Bearer $token")"
echo "a forged one:    $(curl -s -o /dev/null -w '%{http_code}' "$proxy/app/get" -H "Authorization: Bearer ${token}x")"
curl -s "$proxy/app/headers" -H "Authorization: Bearer $token" | grep -i consumer-username
