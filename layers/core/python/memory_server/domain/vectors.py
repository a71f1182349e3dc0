"""A vector as bytes: float32, little-endian. It is the precision of the models, so nothing is lost."""

from __future__ import annotations

import struct

from memory_server.domain.memories import Vector


def pack(vector: Vector) -> bytes:
    """Return the bytes of ``vector``, four a dimension."""
    return struct.pack(f"<{len(vector)}f", *vector)


def unpack(data: bytes) -> list[float]:
    """Return the vector whose bytes these are.

    Raises:
        ValueError: they are not a whole number of float32.
    """
    if len(data) % 4:
        raise ValueError(f"{len(data)} bytes are no float32 vector")
    return list(struct.unpack(f"<{len(data) // 4}f", data))
