"""gzip and zstd. What is compressed chunk by chunk and put together is one file: both formats may be concatenated."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, Literal, TypeAlias, cast

import zstandard

from .faults import FormatError

Compression: TypeAlias = Literal["none", "gzip", "zstd"]
SUFFIXES: Final[dict[Compression, str]] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_MAGIC: Final[tuple[tuple[bytes, Compression], ...]] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_GZIP_LEVEL: Final = 4
_MAX_WINDOW: Final = 64 * 1024 * 1024


def compress(chunk: bytes, compression: Compression) -> bytes:
    """Return ``chunk`` compressed, so that it can be read alone or behind others."""
    match compression:
        case "gzip":
            return gzip.compress(chunk, _GZIP_LEVEL, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor().compress(chunk)
        case "none":
            return chunk


def compression_of(head: bytes) -> Compression:
    """Return how a file is compressed that begins with ``head``."""
    for magic, compression in _MAGIC:
        if head.startswith(magic):
            return compression
    return "none"


def pieces(file: BinaryIO, compression: Compression, *, size: int, limit: int) -> Iterator[bytes]:
    """Yield what ``file`` holds, decompressed, in pieces of ``size`` bytes and one that may be smaller.

    Raises:
        FormatError: it is damaged, cut off, or has more than ``limit`` bytes.
    """
    total = 0
    try:
        with _opened(file, compression) as stream:
            while piece := stream.read(size):
                total += len(piece)
                if total > limit:
                    raise FormatError(f"has more than {limit // 1024**2:,} MiB decompressed: send it in several files")
                yield piece
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise FormatError(f"cannot be decompressed, it is damaged or cut off: {error}") from error


def _opened(file: BinaryIO, compression: Compression) -> BinaryIO:
    match compression:
        case "gzip":
            return cast(BinaryIO, gzip.open(file))
        case "zstd":
            decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
            return cast(BinaryIO, decompressor.stream_reader(file, read_across_frames=True, closefd=False))
        case "none":
            return file
