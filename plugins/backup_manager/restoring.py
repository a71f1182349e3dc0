"""Runs: a backup is checked part by part, and where it is to be restored or tested, loaded when all of it is good."""

from __future__ import annotations

import json
from typing import Final, Literal, cast
from uuid import uuid4

from plugin_kit.json_types import JsonObject, dumps

from .checking import read_manifest, read_part
from .contents import Manifest
from .faults import Damaged, Fault, Refused
from .rows import BackupRow, RunRow
from .run_records import RunOptions
from .work import MAX_TRIES, MAY_PASS, Time, Work, wait_seconds

_COUNTS: Final = ("created", "updated", "skipped", "unchanged")

AS_IT_WAS: Final[RunOptions] = {"dry_run": False, "conflict": "skip", "project": None}


async def begin(work: Work, backup_id: str, purpose: str, options: RunOptions = AS_IT_WAS) -> RunRow:
    """Begin to verify, restore or test a backup.

    Raises:
        Refused: there is no such backup, it is not complete, or this event has begun a run already.
    """
    backup = await work.backups.get(backup_id)
    if backup is None:
        raise Refused(404, f"there is no backup {backup_id}: GET /backups lists those that there are")
    if backup.state != "complete":
        raise Refused(409, f"the backup {backup_id} is {backup.state}: only a complete one can be read")
    run = await work.runs.add(str(uuid4()), backup_id, purpose, work.cause, options)
    if run is None:
        raise Refused(409, "this request has begun a run already, or the backup is being removed")
    await work.memories.later("advance_run", {"run": run.id})
    return run


async def advance(work: Work, run_id: str) -> None:
    """Check parts for as long as there is time, and when there are no more, load them or be done."""
    run = await work.runs.get(run_id)
    backup = None if run is None else await work.backups.get(run.backup_id)
    if run is None or backup is None or run.state not in {"checking", "loading"}:
        return
    try:
        if run.state == "checking":
            await _check_on(work, run, backup)
        else:
            await _load(work, run)
    except Damaged as damage:
        await work.backups.checked(backup.id, str(damage))
        await fail(work, run, str(damage))
    except Fault as fault:
        await fail(work, run, str(fault))
    except MAY_PASS as error:
        await _try_again(work, run, str(error))


async def loaded(work: Work, run_id: str, load: JsonObject) -> None:
    """Note what the server loaded, or what it would load, and remove what was unpacked for it."""
    run = await work.runs.get(run_id)
    if run is None or run.state != "loading":
        return
    error = cast("JsonObject | None", load["error"])
    result = {name: load.get(name) for name in (*_COUNTS, "versions")}
    if error is not None:
        await fail(work, run, f"nothing was restored: {error['message']}")
        return
    if run.purpose == "test":
        result = await _tested(work, run, result)
    elif run.dry_run:
        result["only_here"] = await _only_here(work, run, result)
    await work.runs.end(run.id, None, result)
    await clear(work, run)


async def clear(work: Work, run: RunRow) -> None:
    """Remove what was unpacked for a run that has ended."""
    if run.unpacks:
        await work.delete_files(_unpacked_name(run, number) for number in range(run.parts))
    await work.runs.cleared(run.id)


async def fail(work: Work, run: RunRow, error: str) -> None:
    """Let a run have failed, and remove what was unpacked for it."""
    if await work.runs.end(run.id, error):
        work.logger.error("%s %s of backup %s failed: %s", run.purpose, run.id, run.backup_id, error)
        if run.purpose == "test":
            await work.backups.tested(run.backup_id, {"passed": False, "error": error})
        await clear(work, run)


async def _check_on(work: Work, run: RunRow, backup: BackupRow) -> None:
    seal = work.configuration.keys.to_open(backup.key_name or "")
    manifest = await read_manifest(work, backup, seal)
    time = Time()
    for part in manifest.parts[run.position :]:
        lines = await read_part(work, manifest, part, seal)
        if run.unpacks and _is_loaded(run, part.kind):
            await work.files.write(_unpacked_name(run, part.number), _lines_for(run, lines))
        await work.runs.advanced(run.id, part.number + 1)
        if not time.left and part is not manifest.parts[-1]:
            await work.memories.later("advance_run", {"run": run.id})
            return
    await work.backups.checked(backup.id, None)
    if run.unpacks:
        await _load(work, run)
    else:
        await work.runs.end(run.id, None, _contents(manifest))
        await clear(work, run)


async def _load(work: Work, run: RunRow) -> None:
    """Let the server load what was unpacked; the id of the run names the load, which happens once."""
    kinds = [part.kind for part in await work.backups.parts(run.backup_id)]
    parts = [_unpacked_name(run, number) for number, kind in enumerate(kinds) if _is_loaded(run, kind)]
    if await work.runs.loading(run.id):
        await work.memories.load(
            run.id,
            parts,
            "loaded",
            {"run": run.id},
            conflict=cast("Literal['skip', 'overwrite']", run.conflict),
            project=run.project,
            dry_run=run.dry_run or run.purpose == "test",
        )


async def _tested(work: Work, run: RunRow, result: JsonObject) -> JsonObject:
    """Compare what would be restored with what was backed up, and note it with the backup."""
    backup = await work.backups.get(run.backup_id)
    expected = None if backup is None else backup.memories
    found = sum(cast(int, result[name]) for name in _COUNTS)
    test: JsonObject = {"passed": found == expected, "memories": expected, "restorable": found, **result}
    await work.backups.tested(run.backup_id, test)
    return test


async def _only_here(work: Work, run: RunRow, result: JsonObject) -> int:
    """Return how many memories the restore has nothing to do with: in its project, those that are not in the backup."""
    backup = await work.backups.get(run.backup_id)
    project = run.project or (None if backup is None else backup.project)
    (row,) = await work.memories.count(project=project)
    met = sum(cast(int, result[name]) for name in ("updated", "skipped", "unchanged"))
    return max(cast(int, row["count"]) - met, 0)  # what has moved to another project since was met there


async def _try_again(work: Work, run: RunRow, error: str) -> None:
    tries = await work.runs.trouble(run.id, error)
    if tries >= MAX_TRIES:
        await fail(work, run, f"{error} (tried {tries} times)")
    else:
        work.logger.warning("%s %s: %s", run.purpose, run.id, error)
        await work.memories.later("advance_run", {"run": run.id}, delay_seconds=wait_seconds(tries))


def _contents(manifest: Manifest) -> JsonObject:
    size = sum(part.bytes for part in manifest.parts)
    return {"parts": len(manifest.parts), "memories": manifest.memories, "versions": manifest.versions, "bytes": size}


def _is_loaded(run: RunRow, kind: str) -> bool:
    """Return whether rows of ``kind`` are restored: in another project memories are copies, which have no history."""
    return kind == "memory" or run.project is None


def _lines_for(run: RunRow, lines: bytes) -> bytes:
    """Return the lines as they are loaded: those of copies have no id, so that they take none from the originals."""
    if run.project is None:
        return lines
    memories = (cast(JsonObject, json.loads(line)) for line in lines.splitlines())
    copies = ({name: value for name, value in memory.items() if name != "id"} for memory in memories)
    return b"".join(f"{dumps(copy)}\n".encode() for copy in copies)


def _unpacked_name(run: RunRow, number: int) -> str:
    return f"transfers/{run.id}/{number:05}.jsonl"
