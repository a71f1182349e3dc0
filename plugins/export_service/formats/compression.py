"""gzip and zstd. What is compressed chunk by chunk and put together is one file: both formats may be concatenated."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final, Literal, TypeAlias

import zstandard

from .faults import FormatError

Compression: TypeAlias = Literal["none", "gzip", "zstd"]
SUFFIXES: Final[dict[Compression, str]] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_MAGIC: Final[tuple[tuple[bytes, Compression], ...]] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_GZIP_LEVEL: Final = 4
_CHUNK_BYTES: Final = 1024 * 1024
_MAX_WINDOW: Final = 64 * 1024 * 1024


def compress(chunk: bytes, compression: Compression) -> bytes:
    """Return ``chunk`` compressed, so that it can be read alone or behind others."""
    match compression:
        case "gzip":
            return gzip.compress(chunk, _GZIP_LEVEL, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor(write_checksum=True).compress(chunk)
        case "none":
            return chunk


def compression_of(head: bytes) -> Compression:
    """Return how a file is compressed that begins with ``head``."""
    for magic, compression in _MAGIC:
        if head.startswith(magic):
            return compression
    return "none"


def pieces(file: BinaryIO, compression: Compression, *, size: int, limit: int) -> Iterator[bytes]:
    """Yield what ``file`` holds, decompressed, in pieces of about ``size`` bytes.

    Raises:
        FormatError: it is damaged, cut off, or has more than ``limit`` bytes.
    """
    piece, total = bytearray(), 0
    try:
        for chunk in _chunks(file, compression):
            piece += chunk
            total += len(chunk)
            if total > limit:
                raise FormatError(f"has more than {limit // 1024**2:,} MiB decompressed: send it in several files")
            if len(piece) >= size:
                yield bytes(piece)
                piece.clear()
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise FormatError(f"cannot be decompressed, it is damaged or cut off: {error}") from error
    if piece:
        yield bytes(piece)


def _chunks(file: BinaryIO, compression: Compression) -> Iterator[bytes]:
    match compression:
        case "gzip":
            with gzip.open(file) as stream:
                yield from iter(partial(stream.read, _CHUNK_BYTES), b"")
        case "zstd":
            yield from _frames(file)
        case "none":
            yield from iter(partial(file.read, _CHUNK_BYTES), b"")


def _frames(file: BinaryIO) -> Iterator[bytes]:
    """Yield what the frames of zstd hold, a little at a time: a kilobyte may stand for megabytes."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    frame = None
    while data := file.read(1024):
        while data:
            frame = frame or decompressor.decompressobj()
            yield frame.decompress(data)
            data, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("it ends within a frame")
