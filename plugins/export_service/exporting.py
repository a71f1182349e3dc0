"""The steps of an export: the snapshot, a chunk of the file for each of its parts, and the file of all chunks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final, cast

from plugin_kit.context import Context, Files
from plugin_kit.json_types import JsonObject

from . import names
from .formats.compression import SUFFIXES, Compression, compress
from .formats.writing import EXPORT_FORMATS, ExportFormat, Place
from .formats.zip_archive import Joiner
from .jobs import Change, Job, JobFailed

_SMALL_BYTES: Final = 2 * 1024 * 1024
_FILTER_NAMES: Final = {"memory_type": "memory_types"}


async def take_snapshot(job: Job, context: Context) -> None:
    """Ask for the memories of the export; the task ``snapshot_taken`` gets them."""
    conditions = cast(JsonObject, job.request["filter"])
    await context["memory_service"].snapshot(
        "snapshot_taken",
        {"job": job.id},
        where={_FILTER_NAMES.get(name, name): value for name, value in conditions.items()},
        embeddings=job.request["embeddings"] is True,
    )


def snapshot_taken(manifest: JsonObject) -> Change:
    """Return what the answer of the server leads to.

    Raises:
        JobFailed: nothing was read.
    """
    if manifest["error"] is not None:
        raise JobFailed(f"the memories could not be read: {manifest['error']}")
    parts = [str(part["name"]) for part in cast("Sequence[JsonObject]", manifest["parts"])]
    result = {"memories": manifest["memories"], "taken_at": manifest["taken_at"]}
    return Change(state="writing", files={"parts": parts}, result=result)


async def write_chunk(job: Job, context: Context) -> Change:
    """Write the chunk of the slice of a part that is next; the only chunk of a small export is its file."""
    files = context["database_service"].files
    parts, slices = job.names("parts"), _slices(job)
    number, of_part = divmod(job.step, slices)
    part = await files.read(parts[number]) if parts else b""
    if len(parts) <= 1 and len(part) <= _SMALL_BYTES:
        chunk = await asyncio.to_thread(_chunk, job, part, first=True, last=True)
        await files.write(names.file(job.id), chunk)
        result = _result(job, hashlib.sha256(chunk).hexdigest(), len(chunk))
        return Change(state="done", files={"chunks": [names.file(job.id)]}, result=result, used=parts)
    last = job.step + 1 == steps(job)
    lines = part[_bound(part, of_part, slices) : _bound(part, of_part + 1, slices)]
    chunk = await asyncio.to_thread(_chunk, job, lines, first=job.step == 0, last=last)
    await files.write(names.chunk(job.id, job.step), chunk)
    used = parts[number : number + 1] if of_part + 1 == slices else []
    if not last:
        return Change(state="writing", step=job.step + 1, used=used)
    chunks = [names.chunk(job.id, step) for step in range(steps(job))]
    return Change(state="joining", files={"chunks": chunks}, used=used)


async def join_chunks(job: Job, context: Context) -> Change:
    """Write the file of all chunks."""
    files = context["database_service"].files
    digest, size = await _write_joined(files, job)
    return Change(state="done", result=_result(job, digest, size))


def files_of(job: Job) -> list[str]:
    """Return the names of all files that the export may have, save those that go by themselves."""
    return [names.file(job.id), *(names.chunk(job.id, step) for step in range(steps(job)))]


def steps(job: Job) -> int:
    """Return how many chunks the export may have."""
    return max(len(job.names("parts")), 1) * _slices(job)


def _slices(job: Job) -> int:
    """Return how many chunks are made of a part. Embeddings are three times as long in a file as in a part."""
    return _format(job).slices * (4 if job.request["embeddings"] is True else 1)


async def _write_joined(files: Files, job: Job) -> tuple[str, int]:
    """Return the SHA-256 and the size of the file."""
    digest, size = hashlib.sha256(), 0
    joiner = Joiner() if _format(job).is_archive else None
    async with files.writer(names.file(job.id)) as out:
        for name in job.names("chunks"):
            chunk = await files.read(name)
            data = chunk if joiner is None else joiner.add(chunk)
            digest.update(data)
            size += len(data)
            await out.write(data)
        if joiner is not None:
            end = joiner.end()
            digest.update(end)
            size += len(end)
            await out.write(end)
    return digest.hexdigest(), size


def _chunk(job: Job, lines: bytes, *, first: bool, last: bool) -> bytes:
    place = Place(first=first, last=last, embeddings=job.request["embeddings"] is True)
    return compress(_format(job).chunk(lines, place), cast(Compression, job.request["compression"]))


def _bound(part: bytes, number: int, slices: int) -> int:
    """Return where slice ``number`` of ``slices`` begins in ``part``: behind the end of a line."""
    return part.find(b"\n", number * len(part) // slices) + 1 if 0 < number < slices else number * len(part) // slices


def _format(job: Job) -> ExportFormat:
    return EXPORT_FORMATS[str(job.request["format"])]


def _result(job: Job, digest: str, size: int) -> JsonObject:
    """Return what is told of the file: its name, its size and its SHA-256."""
    suffix = _format(job).suffix
    compression = SUFFIXES[cast(Compression, job.request["compression"])]
    return {"filename": f"memories-{job.created_at[:10]}{suffix}{compression}", "bytes": size, "sha256": digest}
