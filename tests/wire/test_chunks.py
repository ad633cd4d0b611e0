"""The chunked coding: our decoder against h11's, and its own laws."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimon_local.wire.chunks import ChunkDecoder, LawfulChunkDecoder
from aimon_local.wire.limits import Limits
from aimon_local.wire.strict import Malformed

PARTS = [
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"1\r\nx\r\n", b"a\r\n0123456789\r\n", b"A;ext\r\n0123456789\r\n", b"5 ;a=b\r\nhello\r\n", b"5 \r\nhello\r\n",
    b"0\r\nT: v\r\n\r\n", b"0\r\nT : v\r\n\r\n", b"5\r\nhell\r\n", b"\r\n", b"\n", b"0x1\r\nx\r\n", b"-1\r\n", b"5;\x00\r\nhello\r\n", b"5;\r\nhello\r\n",
    b"00000000000000001\r\nx\r\n", b"0000000000000001\r\nx\r\n", b"5\nhello\r\n", b"5\r\nhello\n", b"0\r\n T: v\r\n\r\n", b"0\r\nT: a\r\nU: b\r\n\r\n",
]  # fmt: skip


def decoded(decoder: ChunkDecoder, pieces: list[bytes]) -> tuple[bytes, bool] | None:
    """(body, complete), or None for a refusal."""
    body = b""
    try:
        for piece in pieces:
            body += decoder.feed(piece)
            if decoder.done:
                break
    except Malformed:
        return None
    return body, decoder.done


@pytest.mark.timeout(120)
def test_what_we_decode_h11_decodes_to_the_same_bytes():
    chance = random.Random(7)
    complete = 0
    for _ in range(20_000):
        raw = b"".join(chance.choices(PARTS[:6] if chance.random() < 0.7 else PARTS, k=chance.randrange(1, 5)))
        raw += chance.choice([b"", b"0\r\n\r\n", b"0\r\nT: v\r\n\r\nGET"])
        cut = chance.randrange(len(raw) + 1)
        pieces = [each for each in (raw[:cut], raw[cut:]) if each]
        ours = decoded(ChunkDecoder(Limits()), pieces)
        if ours is not None:
            assert decoded(LawfulChunkDecoder(Limits()), pieces) == ours, raw
            complete += ours[1]
    assert complete > 5_000


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.data())
def test_any_cut_gives_the_same_body(chunks, data):
    raw = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks) + b"0\r\nA: b\r\n\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    edges = [0, *cuts, len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(edges) if a != b]
    decoder = ChunkDecoder(Limits())
    assert decoded(decoder, pieces) == (b"".join(chunks), True)
    assert decoder.trailers == [(b"a", b"b", b"A: b")]


def test_what_follows_the_body_is_kept():
    decoder = ChunkDecoder(Limits())
    assert decoder.feed(b"1\r\nx\r\n0\r\n\r\nGET /") == b"x"
    assert decoder.rest == b"GET /"


def test_random_bytes_are_refused_or_waited_for():
    chance = random.Random(3)
    for _ in range(2000):
        decoded(ChunkDecoder(Limits()), [chance.randbytes(chance.randrange(1, 60))])
