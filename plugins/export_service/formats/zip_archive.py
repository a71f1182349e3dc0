"""ZIP archives that are packed chunk by chunk, each an archive of its own, and then joined without packing anew."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Final

from .faults import FormatError

_FILE: Final = struct.Struct("<4s5H3I2H")  # a file's header before its bytes
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")  # and in the central directory
_ENTRY_MARK: Final = b"PK\x01\x02"
_END: Final = struct.Struct("<4s4H2IH")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64: Final = struct.Struct("<4sIQI")
_MAX_16: Final = 0xFFFF
_MAX_32: Final = 0xFFFFFFFF
_VERSION: Final = 20
_VERSION_64: Final = 45
_MADE_BY: Final = 3 << 8 | _VERSION  # Unix, whose mode of a file is _MODE
_MODE: Final = 0o100600 << 16
_WORTH_PACKING: Final = 512
"""Smaller files gain little, and most of the time would go into them."""


def pack(files: Iterable[tuple[str, datetime, bytes]]) -> bytes:
    """Return an archive of ``files``: the path in ASCII, the time and the contents of each.

    zipfile would take most of the time of an export: it is made for files that are larger than a memory.
    """
    out, directory, count, size = list[bytes](), list[bytes](), 0, 0
    for name, time, data in files:
        path = name.encode("ascii")
        method, packed = (8, zlib.compress(data, wbits=-15)) if len(data) > _WORTH_PACKING else (0, data)
        date = min(max(time.year - 1980, 0), 127) << 9 | time.month << 5 | time.day
        clock = time.hour << 11 | time.minute << 5 | time.second // 2
        about = (_VERSION, 0, method, clock, date, zlib.crc32(data), len(packed), len(data), len(path), 0)
        directory.append(_ENTRY.pack(_ENTRY_MARK, _MADE_BY, *about, 0, 0, 0, _MODE, size) + path)
        out += (_FILE.pack(b"PK\x03\x04", *about), path, packed)
        size += _FILE.size + len(path) + len(packed)
        count += 1
    return b"".join([*out, _ended(b"".join(directory), count, size)])


def split(archive: bytes) -> tuple[bytes, bytes]:
    """Return the files of an archive that ``pack`` made, and its directory."""
    _, begins = _directory_of(archive)
    return archive[:begins], archive[begins:]


class Joiner:
    """Makes the directory of archives that stand one behind the other, each without its own.

    The joined archive may have more than 4 GiB and 65,535 files (ZIP64).
    """

    def __init__(self) -> None:
        self._directory = bytearray()
        self._entries = 0
        self._bytes = 0

    def add(self, directory: bytes) -> None:
        """Take the directory of the next archive, as ``split`` gives it."""
        count, size = _directory_of(directory)
        at = 0
        for _ in range(count):
            at = self._enter(directory, at)
        self._entries += count
        self._bytes += size

    def end(self) -> bytes:
        """Return what ends the joined archive: its directory."""
        return _ended(bytes(self._directory), self._entries, self._bytes)

    def _enter(self, directory: bytes, at: int) -> int:
        """Take over the entry at ``at``, and return where the next one is."""
        fields = list(_ENTRY.unpack_from(directory, at))
        if fields[0] != _ENTRY_MARK:
            raise ValueError("the archive was not made by pack")
        name_size, extra_size, comment_size = fields[10], fields[11], fields[12]
        names_end = at + _ENTRY.size + name_size
        ends = names_end + extra_size + comment_size
        offset, extra = fields[16] + self._bytes, b""
        if offset >= _MAX_32:
            extra = struct.pack("<2HQ", 1, 8, offset)
            fields[2] = max(fields[2], _VERSION_64)
        fields[11], fields[16] = extra_size + len(extra), min(offset, _MAX_32)
        self._directory += (
            _ENTRY.pack(*fields) + directory[at + _ENTRY.size : names_end] + extra + directory[names_end:ends]
        )
        return ends


def _ended(directory: bytes, count: int, begins: int) -> bytes:
    """Return the end of an archive: its directory, of ``count`` files and behind ``begins`` bytes, and where it is."""
    size, end = len(directory), directory
    if count >= _MAX_16 or begins + size >= _MAX_32:
        numbers = (_VERSION_64, _VERSION_64, 0, 0, count, count, size, begins)
        end += _END_64.pack(b"PK\x06\x06", _END_64.size - 12, *numbers)
        end += _LOCATOR_64.pack(b"PK\x06\x07", 0, begins + size, 1)
    few = min(count, _MAX_16)
    return end + _END.pack(b"PK\x05\x06", 0, 0, few, few, min(size, _MAX_32), min(begins, _MAX_32), 0)


def _directory_of(data: bytes) -> tuple[int, int]:
    """Return how many files an archive of ``pack`` has that ends with ``data``, and where its directory begins."""
    _, _, _, _, count, _, begins, _ = _END.unpack(data[-_END.size :])
    if count < _MAX_16:
        return count, begins
    end = len(data) - _END.size - _LOCATOR_64.size - _END_64.size
    numbers = _END_64.unpack_from(data, end)
    return numbers[7], numbers[9]


def texts(archive: BinaryIO, *, suffix: str, limit: int) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file whose name ends in ``suffix``, save those that macOS puts beside.

    Raises:
        FormatError: it is no archive, is damaged or encrypted, or a file is not UTF-8 or has over ``limit`` bytes.
    """
    name = None
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                name = entry.filename
                if name.lower().endswith(suffix) and not name.startswith("__MACOSX/"):
                    with opened.open(entry) as file:
                        yield name, _text(file.read(limit + 1), name, limit)
    except (EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise FormatError(f"the ZIP archive cannot be read: {error}", file=name) from error


def _text(data: bytes, name: str, limit: int) -> str:
    if len(data) > limit:
        raise FormatError(f"has more than {limit // 1024:,} KiB", file=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"is not UTF-8: it has the byte {data[error.start]:#04x}", file=name) from error
