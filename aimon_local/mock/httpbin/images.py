"""Four small pictures, drawn by code: a lighthouse beam as PNG, JPEG, WebP and SVG.

Each raster format is written by its plainest legal encoding: PNG (RFC 2083) filter 0; baseline JPEG (ITU T.81) with one
flat shade per 8 x 8 block, so only DC coefficients; lossless WebP (RFC 9649) with two colours, so one bit per pixel.
"""

import struct
import zlib
from functools import cache

SIZE = 64  # pixels each way, a multiple of 8


def _lit(x: int, y: int) -> bool:
    """Whether the beam from the left edge's middle falls on a pixel."""
    return abs(2 * (y - SIZE // 2)) <= x // 2 + 4


@cache
def png() -> bytes:
    """True colour, 8 bits: dusk above, sea below, the beam between."""
    rows = bytearray()
    for y in range(SIZE):
        rows.append(0)
        for x in range(SIZE):
            rows += b"\xff\xe0\x60" if _lit(x, y) else bytes((20 + y, 30 + y, 90 + x))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    chunks = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class _Bits:
    """A writer of bits, first bit high (JPEG) or low (WebP)."""

    __slots__ = ("bits",)

    def __init__(self) -> None:
        self.bits: list[int] = []

    def put_high(self, value: int, width: int) -> None:
        self.bits += [value >> at & 1 for at in reversed(range(width))]

    def put_low(self, value: int, width: int) -> None:
        self.bits += [value >> at & 1 for at in range(width)]

    def packed(self, *, high_first: bool, pad: int) -> bytes:
        bits = self.bits + [pad] * (-len(self.bits) % 8)
        groups = (bits[at : at + 8] for at in range(0, len(bits), 8))
        return bytes(int("".join(map(str, g if high_first else g[::-1])), 2) for g in groups)


# JPEG: DC categories 0..8 as four-bit codes, and "end of block" as the one AC code, a single 0
_DC_CODES = range(9)
_DC_TABLE = b"\x00" + bytes((0, 0, 0, len(_DC_CODES)) + (0,) * 12) + bytes(_DC_CODES)
_AC_TABLE = b"\x10" + bytes((1,) + (0,) * 15) + b"\x00"


@cache
def jpeg() -> bytes:
    """Grey: each 8 x 8 block is one shade, stored as the step from the block before."""
    bits = _Bits()
    before = 0
    for row in range(SIZE // 8):
        for column in range(SIZE // 8):
            shade = 120 if _lit(column * 8 + 4, row * 8 + 4) else row * 8 - 100
            step, before = shade - before, shade
            category = abs(step).bit_length()
            bits.put_high(category, 4)
            bits.put_high(step if step > 0 else step + (1 << category) - 1, category)
            bits.put_high(0, 1)
    scan = bits.packed(high_first=True, pad=1).replace(b"\xff", b"\xff\x00")
    segments = (
        (0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
        (0xDB, b"\x00" + b"\x08" * 64),  # a DC step of 8 is one grey level
        (0xC0, struct.pack(">BHHBBBB", 8, SIZE, SIZE, 1, 1, 0x11, 0)),
        (0xC4, _DC_TABLE),
        (0xC4, _AC_TABLE),
        (0xDA, b"\x01\x01\x00\x00\x3f\x00"),
    )
    head = b"".join(b"\xff" + bytes([mark]) + struct.pack(">H", len(data) + 2) + data for mark, data in segments)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


@cache
def webp() -> bytes:
    """Lossless, two colours: green says lit or not, the other channels are constant."""
    bits = _Bits()
    bits.put_low(SIZE - 1, 14)
    bits.put_low(SIZE - 1, 14)
    bits.put_low(0, 1 + 3)  # no alpha; version 0
    bits.put_low(0, 1 + 1 + 1)  # no transform, no colour cache, one code for the whole picture
    for symbols in ((60, 220), (20,), (90,), (255,), (0,)):  # green, red, blue, alpha, distance
        bits.put_low(1, 1)  # a simple code
        bits.put_low(len(symbols) - 1, 1)
        bits.put_low(1, 1)  # its first symbol has 8 bits
        for symbol in symbols:
            bits.put_low(symbol, 8)
    for y in range(SIZE):
        for x in range(SIZE):
            bits.put_low(int(_lit(x, y)), 1)
    data = b"\x2f" + bits.packed(high_first=False, pad=0)
    data += b"\0" * (len(data) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


@cache
def svg() -> bytes:
    """The same beam as shapes."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">'
        f'<rect width="{SIZE}" height="{SIZE}" fill="#1e2a60"/>'
        f'<path d="M0 30 L{SIZE} 14 V50 L0 34 Z" fill="#ffe060"/></svg>\n'
    ).encode()
