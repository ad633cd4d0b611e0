"""The pictures are whole files of their formats."""

import struct
import zlib

from aimon_local.mock.httpbin import images


def test_png_holds_the_picture():
    data = images.png()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + chunk)
        packed += chunk if kind == b"IDAT" else b""
        at += 12 + size
    rows = zlib.decompress(packed)
    assert len(rows) == images.SIZE * (1 + 3 * images.SIZE)
    assert b"\xff\xe0\x60" in rows


def test_jpeg_segments_are_whole():
    data, at, marks = images.jpeg(), 2, []
    assert data[:2] == b"\xff\xd8"
    while data[at + 1] != 0xDA:
        marks.append(data[at + 1])
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    assert marks == [0xE0, 0xDB, 0xC0, 0xC4, 0xC4]
    assert data.endswith(b"\xff\xd9")
    scan = data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] : -2]
    assert all(scan[i + 1] == 0 for i, byte in enumerate(scan) if byte == 0xFF)


def test_webp_container_is_whole():
    data = images.webp()
    assert data[:4] + data[8:16] == b"RIFFWEBPVP8L"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert struct.unpack("<I", data[16:20])[0] == len(data) - 20
    width_height = struct.unpack("<I", data[21:25])[0]
    assert (width_height & 0x3FFF) + 1 == ((width_height >> 14) & 0x3FFF) + 1 == images.SIZE
