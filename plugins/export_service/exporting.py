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
from .formats.writing import EXPORT_FORMATS, Place
from .formats.zip_archive import Joiner
from .jobs import Change, Job, JobFailed

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
    """Write the chunk of the part that is next; without any part, the one chunk of no memories."""
    files = context["database_service"].files
    parts = job.names("parts")
    part = parts[job.step] if parts else None
    lines = b"" if part is None else await files.read(part)
    last = job.step + 1 >= len(parts)
    place = Place(first=job.step == 0, last=last, embeddings=job.request["embeddings"] is True)
    await files.write(names.chunk(job.id, job.step), await asyncio.to_thread(_chunk, job, lines, place))
    if not last:
        return Change(state="writing", step=job.step + 1, used=[str(part)])
    chunks = [names.chunk(job.id, step) for step in range(job.step + 1)]
    return Change(state="joining", files={"chunks": chunks}, used=parts[-1:])


async def join_chunks(job: Job, context: Context) -> Change:
    """Write the file of all chunks."""
    files = context["database_service"].files
    digest, size = await _write_joined(files, job)
    filename = f"memories-{job.created_at[:10]}{_suffix(job)}"
    return Change(state="done", result={"filename": filename, "bytes": size, "sha256": digest})


def files_of(job: Job) -> list[str]:
    """Return the names of all files that the export may have, save those that go by themselves."""
    steps = max(len(job.names("parts")), 1)
    return [names.file(job.id), *(names.chunk(job.id, step) for step in range(steps))]


async def _write_joined(files: Files, job: Job) -> tuple[str, int]:
    """Return the SHA-256 and the size of the file."""
    digest, size = hashlib.sha256(), 0
    joiner = Joiner() if EXPORT_FORMATS[str(job.request["format"])].is_archive else None
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


def _chunk(job: Job, lines: bytes, place: Place) -> bytes:
    form = EXPORT_FORMATS[str(job.request["format"])]
    return compress(form.chunk(lines, place), cast(Compression, job.request["compression"]))


def _suffix(job: Job) -> str:
    compression = cast(Compression, job.request["compression"])
    return EXPORT_FORMATS[str(job.request["format"])].suffix + SUFFIXES[compression]
