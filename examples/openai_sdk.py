"""OpenAI's official SDK against the gateway: a call, a stream, and what a full limit looks like.

export OPENAI_API_KEY=$(sh examples/setup.sh) OPENAI_BASE_URL=http://localhost:8000/ai/v1
python examples/openai_sdk.py
"""

import openai

MODEL = "mock-small"
client = openai.OpenAI()  # key and address from the environment

answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say hello."}])
print("answer:", answer.choices[0].message.content)
print("tokens:", answer.usage.total_tokens if answer.usage else None)

print("stream:", end=" ")
for chunk in client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Count to three."}], stream=True
):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

raw = client.chat.completions.with_raw_response.create(
    model=MODEL, messages=[{"role": "user", "content": "What is left?"}]
)
print("left:", raw.headers["x-ratelimit-remaining-requests"], "requests")

try:
    client.chat.completions.create(model="mock-large", messages=[{"role": "user", "content": "Hello."}])
except openai.PermissionDeniedError as refusal:
    print("refused:", refusal.message)
