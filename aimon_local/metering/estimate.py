"""The estimate before the call: cheap, documented, replaceable.

Text counts one token per four bytes of UTF-8, rounded up: right for English within about a fifth, high for code and for
other scripts, which is the safe side for a reservation. Each message adds 4 tokens of framing, each request 3, each
image part ``IMAGE`` tokens; a list of integers (embeddings' token arrays) counts itself.
"""

from typing import Any

BYTES_PER_TOKEN = 4
PER_MESSAGE = 4
PER_REQUEST = 3
IMAGE = 765  # a 1024 x 1024 picture in high detail, as OpenAI's and Anthropic's documents put it, rounded

_MEDIA = ("image_url", "input_image", "image", "input_audio", "file", "document")


def text_tokens(text: str | bytes) -> int:
    """Tokens of a text."""
    size = len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)


def content_tokens(content: Any) -> int:
    """Tokens of a message's content: a text, a list of parts, or parts in parts (tool results)."""
    if isinstance(content, str):
        return text_tokens(content)
    if isinstance(content, dict):
        if content.get("type") in _MEDIA:
            return IMAGE
        counted = 0
        for key, value in content.items():
            if key != "type":
                counted += content_tokens(value)
        return counted
    if isinstance(content, list):
        return sum(content_tokens(part) for part in content)
    return 0 if content is None or isinstance(content, bool) else text_tokens(str(content))


def messages_tokens(messages: Any, *also: Any) -> int:
    """Tokens of a chat: its messages, and whatever else the model reads (system, tools, instructions)."""
    rows = messages if isinstance(messages, list) else [messages]
    counted = PER_REQUEST + PER_MESSAGE * len(rows)
    for row in rows:
        counted += content_tokens(row)
    for extra in also:
        if extra:
            counted += content_tokens(extra)
    return counted


def embedding_tokens(value: Any) -> int:
    """Tokens of an embeddings input: a text, texts, a token array, or token arrays."""
    if isinstance(value, str):
        return text_tokens(value)
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return len(value)
        return sum(embedding_tokens(item) for item in value)
    return 0
