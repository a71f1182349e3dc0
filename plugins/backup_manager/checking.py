"""Reads a backup and believes nothing of it before it is checked."""

from __future__ import annotations

import asyncio
from typing import Final

from plugin_kit.errors import FileChanged

from .contents import Manifest, Part, digest, manifest_context, part_context
from .faults import Damaged
from .rows import BackupRow
from .sealing import Seal
from .work import Work

_MANIFEST_BYTES: Final = 64 * 1024 * 1024
_ADVICE: Final = "restore another backup"


async def read_manifest(work: Work, backup: BackupRow, seal: Seal) -> Manifest:
    """Return the manifest of a complete backup.

    Raises:
        Damaged: it is missing, changed, or that of another backup or user.
        KeyFailed: the key does not open it.
    """
    name = backup.manifest_name or ""
    try:
        sealed = await work.files.read(name)
    except FileNotFoundError as error:
        raise Damaged(f"the manifest ({name}) is missing: {_ADVICE}") from error
    except FileChanged as error:
        raise Damaged(f"the manifest: {error}: {_ADVICE}") from error
    if digest(sealed) != backup.manifest_sha256:
        raise Damaged(f"the manifest ({name}) is not what was written: {_ADVICE}")
    return await asyncio.to_thread(open_manifest, sealed, backup.id, work.user_id, seal)


def open_manifest(sealed: bytes, backup_id: str, user_id: str, seal: Seal) -> Manifest:
    """Return the manifest that is sealed for this backup of this user, as ``read_manifest`` does."""
    manifest = Manifest.from_bytes(seal.open(sealed, manifest_context(backup_id, user_id), _MANIFEST_BYTES))
    if (manifest.backup, manifest.user_id) != (backup_id, user_id):
        raise Damaged(f"the manifest is of another backup or user: {_ADVICE}")
    return manifest


async def read_part(work: Work, manifest: Manifest, part: Part, seal: Seal) -> bytes:
    """Return the JSON lines of ``part``.

    Raises:
        Damaged: the part is missing, cut off, exchanged or changed.
        KeyFailed: the key does not open it.
    """
    which = f"part {part.number + 1} of {len(manifest.parts)} ({part.name})"
    try:
        sealed = await work.files.read(part.name)
    except FileNotFoundError as error:
        raise Damaged(f"{which} is missing: {_ADVICE}") from error
    except FileChanged as error:
        raise Damaged(f"{which}: {error}: {_ADVICE}") from error
    if len(sealed) != part.stored_bytes:
        raise Damaged(f"{which} has {len(sealed)} bytes and not {part.stored_bytes}: {_ADVICE}")
    return await asyncio.to_thread(_open, sealed, manifest, part, seal, which)


def _open(sealed: bytes, manifest: Manifest, part: Part, seal: Seal, which: str) -> bytes:
    if digest(sealed) != part.stored_sha256:
        raise Damaged(f"{which} is not what was written, its SHA-256 is another: {_ADVICE}")
    lines = seal.open(sealed, part_context(manifest.backup, manifest.user_id, part.number), part.bytes)
    if digest(lines) != part.sha256 or lines.count(b"\n") != part.rows:
        raise Damaged(f"{which} does not hold the {part.rows} rows that were read: {_ADVICE}")
    return lines
