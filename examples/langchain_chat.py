"""LangChain's OpenAI chat model against the gateway (pip install langchain-openai).

export OPENAI_API_KEY=$(sh examples/setup.sh) OPENAI_BASE_URL=http://localhost:8000/ai/v1
python examples/langchain_chat.py
"""

import os

from langchain_openai import ChatOpenAI

chat = ChatOpenAI(model="mock-small", base_url=os.environ["OPENAI_BASE_URL"], max_tokens=64)
answer = chat.invoke("Say hello.")
print("answer:", answer.content)
print("tokens:", answer.usage_metadata["total_tokens"] if answer.usage_metadata else None)
print("stream:", "".join(str(piece.content) for piece in chat.stream("Count to three.")))
