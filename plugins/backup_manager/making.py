"""Makes a backup step by step: a snapshot, its parts, the manifest. A step that is done again does no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from plugin_kit.json_types import JsonObject

from .catalogue import write_catalogue
from .checking import open_manifest
from .contents import Manifest, Part, digest, manifest_context, manifest_name, part_context, part_name
from .faults import Fault, Refused, SnapshotLost
from .keeping import apply_policy
from .records import UNDER_WAY
from .removing import clear
from .rows import BackupRow, PartRow
from .sealing import Seal
from .work import MAX_TRIES, MAY_PASS, Time, Work, wait_seconds


async def begin(work: Work, project: str | None, origin: str) -> BackupRow:
    """Begin a backup of the user's memories, or of those of ``project``.

    Raises:
        KeyUnknown: there is no key to encrypt with.
        Refused: one of the same memories is under way, or this event has begun one already.
    """
    work.configuration.keys.check()
    for other in await work.backups.list(UNDER_WAY):
        if other.project == project:
            raise Refused(409, f"the backup {other.id} of the same memories is under way: wait for it, or delete it")
    backup = await work.backups.add(str(uuid4()), project, origin, work.cause)
    if backup is None:
        raise Refused(409, "this request has begun a backup already: look at GET /backups")
    await take_snapshot(work, backup)
    return backup


async def take_snapshot(work: Work, backup: BackupRow) -> None:
    """Let the server read what the backup is of."""
    where = {} if backup.project is None else {"project": backup.project}
    await work.memories.snapshot("snapshot_taken", {"backup": backup.id}, where=where, history=True, embeddings=True)


async def snapshot_taken(work: Work, backup_id: str, snapshot: JsonObject) -> None:
    """Go on with what the server read."""
    if snapshot["error"] is not None:
        await fail(work, backup_id, f"the server could not read the memories: {snapshot['error']}")
        return
    try:
        key_name = work.configuration.keys.to_seal().name
    except Fault as fault:
        await fail(work, backup_id, str(fault))
        return
    await work.backups.read(backup_id, snapshot, key_name)
    await advance(work, backup_id)


async def advance(work: Work, backup_id: str) -> None:
    """Store parts for as long as there is time, and finish the backup when there are no more."""
    backup = await work.backups.get(backup_id)
    if backup is None or backup.state != "storing" or backup.key_name is None:
        return
    try:
        seal = work.configuration.keys.to_open(backup.key_name)
        if not await _store_parts(work, backup, seal):
            await work.memories.later("advance_backup", {"backup": backup_id})
            return
        complete = await _finish(work, backup, seal)
    except Fault as fault:
        await fail(work, backup_id, str(fault))
        return
    except MAY_PASS as error:
        await _try_again(work, backup_id, str(error))
        return
    if complete:
        await write_catalogue(work)
        await apply_policy(work)


async def fail(work: Work, backup_id: str, error: str) -> None:
    """Let a backup have failed, and remove its files."""
    if await work.backups.fail(backup_id, error):
        work.logger.error("backup %s failed: %s", backup_id, error)
        await clear(work, backup_id)


async def _try_again(work: Work, backup_id: str, error: str) -> None:
    tries = await work.backups.trouble(backup_id, error)
    if tries >= MAX_TRIES:
        await fail(work, backup_id, f"{error} (tried {tries} times)")
    else:
        work.logger.warning("backup %s: %s", backup_id, error)
        await work.memories.later("advance_backup", {"backup": backup_id}, delay_seconds=wait_seconds(tries))


async def _store_parts(work: Work, backup: BackupRow, seal: Seal) -> bool:
    """Return whether all parts are stored."""
    time = Time()
    while time.left:
        part = await work.backups.claim_part(backup.id)
        if part is None:
            return True
        await _store(work, backup, part, seal)
    return False


async def _store(work: Work, backup: BackupRow, part: PartRow, seal: Seal) -> None:
    try:
        lines = await work.files.read(part.source)
    except FileNotFoundError as error:
        raise SnapshotLost("what the server read is there no longer: make another backup") from error
    context = part_context(backup.id, work.user_id, part.number)
    level = work.configuration.compression_level
    sealed, sha256 = await asyncio.to_thread(_sealed, lines, part, seal, context, level)
    name = part_name(backup.id, part.number, part.attempts)
    await work.files.write(name, sealed)
    if not await work.backups.stored(backup.id, part.number, name, len(sealed), sha256):
        await work.files.delete(name)


def _sealed(lines: bytes, part: PartRow, seal: Seal, context: dict[str, str], level: int) -> tuple[bytes, str]:
    if digest(lines) != part.sha256:
        raise SnapshotLost(f"{part.source} is not what the server wrote: make another backup")
    sealed = seal.seal(lines, context, level)
    return sealed, digest(sealed)


async def _finish(work: Work, backup: BackupRow, seal: Seal) -> bool:
    """Write the manifest and read it again, look whether all parts are there, and only then call it complete."""
    attempt = await work.backups.claim_manifest(backup.id)
    if attempt is None:
        return False
    parts = await work.backups.parts(backup.id)
    manifest = _manifest(backup, parts)
    name = manifest_name(backup.id, attempt)
    sealed = await asyncio.to_thread(seal.seal, manifest.to_bytes(), manifest_context(backup.id, work.user_id))
    await work.files.write(name, sealed)
    await _check(work, manifest, name, seal)
    await work.delete_files(part.source for part in parts)
    if await work.backups.complete(backup.id, name, digest(sealed)):
        return True
    await work.files.delete(name)
    return False


async def _check(work: Work, manifest: Manifest, name: str, seal: Seal) -> None:
    written = await work.files.read(name)
    if await asyncio.to_thread(open_manifest, written, manifest.backup, manifest.user_id, seal) != manifest:
        raise SnapshotLost("the manifest that was written is not the one that is read: make another backup")
    for part in manifest.parts:
        if await work.files.size(part.name) != part.stored_bytes:
            raise SnapshotLost(f"{part.name} is not there as it was written: make another backup")


def _manifest(backup: BackupRow, parts: Sequence[PartRow]) -> Manifest:
    return Manifest(
        backup=backup.id,
        user_id=backup.user_id,
        project=backup.project,
        origin=backup.origin,
        requested_at=backup.requested_at,
        taken_at=backup.taken_at or "",
        memories=backup.memories or 0,
        versions=backup.versions or 0,
        models=tuple(backup.models or ()),
        parts=tuple(
            Part(
                number=part.number,
                kind=part.kind,
                rows=part.rows,
                bytes=part.bytes,
                sha256=part.sha256,
                name=part.name or "",
                stored_bytes=part.stored_bytes or 0,
                stored_sha256=part.stored_sha256 or "",
            )
            for part in parts
        ),
    )
