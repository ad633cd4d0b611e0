"""What a start finds in a write-ahead log that was left behind: did SQLite take over all that was committed in it?

SQLite reads a left log up to the first frame whose checksum is wrong and drops the rest without a word. After a
killed process nothing is wrong in it; after a power cut (synchronous "normal") or damage of the disk the last
commits may be gone, and that must be said. File format: sqlite.org/fileformat2.html, "The Write-Ahead Log".
This module only reads, before SQLite has opened the database.
"""

import struct
from pathlib import Path

_HEADER = struct.Struct(">II II II II")  # magic, version, page size, checkpoint number, two salts, two checksums
_FRAME = struct.Struct(">II II II")  # page, database size after a commit (else 0), two salts, two checksums
_MAGIC = (0x377F0682, 0x377F0683)


def committed_frames(log: Path) -> int:
    """How many frames, counted up to the last one that ends a commit, were written since the log last started over."""
    try:
        with log.open("rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                return 0
            magic, _, page_size, _, *salts = _HEADER.unpack(head)[:6]
            if magic not in _MAGIC or page_size < 512:
                return 0
            whole = (log.stat().st_size - _HEADER.size) // (_FRAME.size + page_size)
            last = 0
            for frame in range(1, whole + 1):
                _, size_after, *found = _FRAME.unpack(file.read(_FRAME.size))[:4]
                if found == salts and size_after:
                    last = frame
                file.seek(page_size, 1)
            return last
    except FileNotFoundError:
        return 0


def lost(written: int, recovered: int) -> str | None:
    """What to tell the operator, if SQLite took over fewer frames than were written."""
    if recovered >= written:
        return None
    return (
        f"the write-ahead log was damaged: of its {written} pages {recovered} could be read, so the last commits "
        'before the stop are lost (a power cut, or the disk; synchronous "full" keeps commits through a power cut)'
    )
