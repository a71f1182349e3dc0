"""The steps of an export: the snapshot, a chunk of the file for each of its parts, and the file of all chunks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from typing import Final, cast

from plugin_kit.context import Context, Files
from plugin_kit.json_types import JsonObject, JsonValue

from . import names
from .formats.compression import SUFFIXES, Compression, compress
from .formats.writing import EXPORT_FORMATS, ExportFormat, Place
from .formats.zip_archive import Joiner, split
from .jobs import Change, Job, JobFailed
from .steps import Digest, Time, piece

_SMALL_BYTES: Final = 2 * 1024 * 1024
_EMBEDDED_SLICES: Final = 6
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


async def snapshot_taken(job: Job, manifest: JsonObject) -> Change:
    """Return what the answer of the server leads to. Lines that are the export's already are only to be joined.

    Raises:
        JobFailed: nothing was read.
    """
    if manifest["error"] is not None:
        raise JobFailed(f"the memories could not be read: {manifest['error']}")
    parts = [str(part["name"]) for part in cast("Sequence[JsonObject]", manifest["parts"])]
    result = {"memories": manifest["memories"], "taken_at": manifest["taken_at"]}
    if parts and _is_plain(job):
        return Change(
            state="joining", files={"parts": parts, "chunks": parts}, result={**result, "sha256": manifest["sha256"]}
        )
    return Change(state="writing", files={"parts": parts}, result=result)


async def write(job: Job, context: Context, time: Time) -> AsyncGenerator[Change]:
    """Write the chunks that are missing, each while the next is made, and then the file of all.

    The only chunk of a small export is its file.
    """
    files, parts = context["database_service"].files, job.names("parts")
    if not parts or (len(parts) == 1 and (await files.size(parts[0]) or 0) <= _SMALL_BYTES):
        yield await _write_small(job, files, await files.read(parts[0]) if parts else b"")
        return
    digest = hashlib.sha256() if job.step == 0 else None
    done, storing = job.step, None
    try:
        async for step, chunk in _chunks(job, files, time):
            if storing is not None:
                await storing
                yield Change(state="writing", step=step)
            storing = asyncio.create_task(_store(files, job, step, chunk, digest))
            done = step + 1
    finally:
        if storing is not None:
            await storing
    if done < steps(job):
        yield Change(state="writing", step=done)
        return
    chunks = [names.chunk(job.id, step) for step in range(done)]
    yield Change(state="joining", files={"chunks": chunks}, used=parts)
    if not time.is_up:
        yield await _joined(job, files, chunks, digest)


async def join(job: Job, context: Context, _time: Time) -> AsyncGenerator[Change]:
    """Write the file of all chunks."""
    yield await _joined(job, context["database_service"].files, job.names("chunks"), None)


def files_of(job: Job) -> list[str]:
    """Return the names of all files that the export may have, save those that go by themselves."""
    made = [name(job.id, step) for step in range(steps(job)) for name in (names.chunk, names.directory)]
    return [names.file(job.id), *made]


def steps(job: Job) -> int:
    """Return how many chunks the export may have."""
    return max(len(job.names("parts")), 1) * _slices(job)


def _slices(job: Job) -> int:
    """Return how many chunks are made of a part. Embeddings are three times as long in a file as in a part."""
    if job.request["embeddings"] is True:
        return _EMBEDDED_SLICES
    return 1 if _is_plain(job) else _format(job).slices


async def _chunks(job: Job, files: Files, time: Time) -> AsyncGenerator[tuple[int, bytes]]:
    """Make the chunks that are missing, at least one and for as long as there is time. Each is of a slice of a part."""
    parts, slices, end = job.names("parts"), _slices(job), steps(job)
    part = await files.read(parts[job.step // slices])
    for step in range(job.step, end):
        number, of_part = divmod(step, slices)
        lines = part[_bound(part, of_part, slices) : _bound(part, of_part + 1, slices)]
        making = asyncio.to_thread(_chunk, job, lines, first=step == 0, last=step + 1 == end)
        if of_part + 1 == slices and number + 1 < len(parts):
            chunk, part = await asyncio.gather(making, files.read(parts[number + 1]))
        else:
            chunk = await making
        yield step, chunk
        if time.is_up:
            return


def _is_plain(job: Job) -> bool:
    """Return whether the lines of the server are those of the file."""
    return _format(job).is_lines and job.request["compression"] == "none" and job.request["embeddings"] is not True


async def _write_small(job: Job, files: Files, part: bytes) -> Change:
    file = names.file(job.id)
    data = await asyncio.to_thread(_chunk, job, part, first=True, last=True)
    await files.write(file, data)
    result = _result(job, hashlib.sha256(data).hexdigest(), len(data))
    return Change(state="done", files={"sources": [[file]]}, result=result, used=job.names("parts"))


async def _store(files: Files, job: Job, step: int, chunk: bytes, digest: Digest | None) -> None:
    """Store a chunk; the directory of an archive apart, for that of all takes its place."""
    if _format(job).is_archive:
        chunk, directory = split(chunk)
        await files.write(names.directory(job.id, step), directory)
    if digest is not None:
        digest.update(chunk)
    await files.write(names.chunk(job.id, step), chunk)


async def _joined(job: Job, files: Files, chunks: Sequence[str], digest: Digest | None) -> Change:
    """Write the file of ``chunks``. ``digest`` has taken them all, or is none where this task has not made them all."""
    file, size, sources = names.file(job.id), 0, list[JsonValue]()
    joiner = Joiner() if _format(job).is_archive else None
    known = job.result.get("sha256")
    digest = digest or (hashlib.sha256() if known else await _digest_of(files, chunks))
    async with files.writer(file) as out:
        for step, name in enumerate(chunks):
            start, size = size, size + await out.copy(name)
            source = [piece(file, start, size)] if size > start else []
            if joiner is not None:
                joiner.add(await files.read(names.directory(job.id, step)))
                source.append(names.directory(job.id, step))
            sources.append(source)
        if joiner is not None:
            end = joiner.end()
            await out.write(end)
            digest.update(end)
            size += len(end)
    result = _result(job, str(known or digest.hexdigest()), size)
    return Change(state="done", files={"sources": sources}, result=result, used=chunks)


async def _digest_of(files: Files, chunks: Sequence[str]) -> Digest:
    digest = hashlib.sha256()
    for name in chunks:
        digest.update(await files.read(name))
    return digest


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
