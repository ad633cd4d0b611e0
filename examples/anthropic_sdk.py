"""Anthropic's official SDK against the gateway: a message and a stream.

export ANTHROPIC_API_KEY=$(sh examples/setup.sh) ANTHROPIC_BASE_URL=http://localhost:8000/ai
python examples/anthropic_sdk.py
"""

import anthropic

MODEL = "mock-small"
client = anthropic.Anthropic()  # key and address from the environment

message = client.messages.create(model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "Say hello."}])
print("answer:", message.content[0].text)
print("tokens:", message.usage.input_tokens, "in,", message.usage.output_tokens, "out")

with client.messages.stream(
    model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "Count to three."}]
) as stream:
    print("stream:", "".join(stream.text_stream))
