"""The steps of an import: what was sent is unpacked, read piece by piece into lines that are checked, and loaded.

Nothing is stored before all of it was read, and then all of it or nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import BinaryIO, Final, cast

from plugin_kit.context import Conflict, Context, Files
from plugin_kit.json_types import JsonObject, JsonValue, dumps

from . import names
from .formats.compression import compression_of
from .formats.faults import FormatError
from .formats.json_text import loads
from .formats.reading import IMPORT_FORMATS, ImportFormat, Line, lines, unpacked
from .formats.record import FIELDS
from .formats.syntax import Rest
from .jobs import Change, Job, JobFailed
from .steps import Time, piece, read_piece

PIECE_BYTES: Final = 8 * 1024 * 1024
_MAX_BYTES: Final = 2 * 1024 * 1024 * 1024


async def unpack(job: Job, context: Context, time: Time) -> AsyncGenerator[Change]:
    """Write the pieces of the files that were sent. ``sources`` has the parts of each.

    Where there is nothing to unpack, pieces are pieces of what is there.
    """
    files = context["database_service"].files
    sources = cast("Sequence[Sequence[JsonValue]]", job.files["sources"])
    written = list(job.files.get("pieces", ()))
    is_ready = not _format(job).is_archive and await _is_ready(files, sources[job.step])
    for step in range(job.step, len(sources)):
        if is_ready:
            written += _pieces_of(sources[step])
        else:
            written += [name async for name in _unpacked(job, files, step, sources[step])]
        if step + 1 == len(sources):
            yield Change(state="checking", files={"pieces": written})
        elif time.is_up:
            yield Change(state="unpacking", step=step + 1, files={"pieces": written})
            return


async def check(job: Job, context: Context, time: Time) -> AsyncGenerator[Change]:
    """Write the lines of the memories of each piece, and where in the user's file each of them is."""
    files = context["database_service"].files
    pieces, written = list(job.files.get("pieces", ())), job.names("lines")
    count = cast(int, job.result.get("memories", 0))
    rest = _rest_of(await files.read(names.rest(job.id, job.step))) if job.step else None
    for step in range(job.step, max(len(pieces), 1)):
        data = await read_piece(files, pieces[step]) if pieces else b""
        last = step + 1 >= len(pieces)
        syntax = _format(job).syntax(rest)
        batches = _batches(lines(_format(job), syntax, data, last=last))
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            written.append(names.lines(job.id, step, len(written)))
            await files.write(names.places(written[-1]), dumps([line.place for line in batch]).encode())
            await files.write(written[-1], b"".join([line.data for line in batch]))
            count += len(batch)
        rest = syntax.rest
        if last or time.is_up:
            if not last:
                await files.write(names.rest(job.id, step + 1), _rest_bytes(rest))
            used = [name for name in pieces[job.step : step + 1] if isinstance(name, str)]
            yield _checked(step, written, count, last=last, used=used)
            return


async def _is_ready(files: Files, source: Sequence[JsonValue]) -> bool:
    """Return whether a source is a piece of a file that is not compressed; then all are, for they are of one export."""
    if len(source) != 1 or isinstance(source[0], str):
        return False
    name, start, end = cast("tuple[str, int, int]", source[0])
    return compression_of(await files.read(name, start=start, end=min(start + 4, end))) == "none"


def _pieces_of(source: Sequence[JsonValue]) -> list[JsonValue]:
    """Return the pieces of a source that is ready; one of no memories has none."""
    ranges = cast("Sequence[tuple[str, int, int]]", source)
    return [
        piece(name, at, min(at + PIECE_BYTES, end))
        for name, start, end in ranges
        for at in range(start, end, PIECE_BYTES)
    ]


async def _unpacked(job: Job, files: Files, step: int, source: Sequence[JsonValue]) -> AsyncGenerator[JsonValue]:
    """Write the pieces of a source and yield their names."""
    with tempfile.TemporaryFile() as file:
        for part in source:
            file.write(await read_piece(files, part))
        file.seek(0)
        pieces = unpacked(_format(job), cast(BinaryIO, file), size=PIECE_BYTES, limit=_MAX_BYTES)
        number = 0
        while (data := await asyncio.to_thread(next, pieces, None)) is not None:
            name = names.piece(job.id, step, number)
            await files.write(name, data)
            yield name
            number += 1


def _checked(step: int, written: list[str], count: int, *, last: bool, used: Sequence[str]) -> Change:
    """Return what a piece leads to whose memories are written."""
    result: JsonObject = {"memories": count}
    if not last:
        return Change(state="checking", step=step + 1, files={"lines": written}, result=result, used=used)
    if not written:
        nothing = dict.fromkeys(("created", "updated", "skipped", "unchanged"), 0)
        return Change(state="done", result={**result, **nothing}, used=used)
    return Change(state="storing", files={"lines": written}, result=result, used=used)


async def load(job: Job, context: Context) -> None:
    """Let the server load the lines; the task ``memories_loaded`` gets what it did. The same job is loaded once."""
    await context["memory_service"].load(
        job.id,
        job.names("lines"),
        "memories_loaded",
        {"job": job.id},
        conflict=cast(Conflict, job.request["conflict"]),
        project=cast("str | None", job.request["project"]),
        dry_run=job.request["dry_run"] is True,
    )


async def loaded(job: Job, answer: JsonObject, files: Files) -> Change:
    """Return what the answer of the server leads to.

    Raises:
        FormatError: nothing was stored, because of a line of the user's file.
        JobFailed: nothing was stored, for another reason.
    """
    error = cast("JsonObject | None", answer["error"])
    if error is not None:
        raise await _refused(job, error, files)
    counts = {name: answer[name] for name in ("created", "updated", "skipped", "unchanged")}
    return Change(state="done", result=counts, used=_lines_of(job))


def files_of(job: Job) -> list[str]:
    """Return the names of all files that the import may have. What was uploaded is the upload's."""
    pieces = job.files.get("pieces", ())
    rests = [names.rest(job.id, step) for step in range(1, len(pieces))]
    return [names.text(job.id), *(name for name in pieces if isinstance(name, str)), *rests, *_lines_of(job)]


def _lines_of(job: Job) -> list[str]:
    return [name for lines_name in job.names("lines") for name in (lines_name, names.places(lines_name))]


async def _refused(job: Job, error: JsonObject, files: Files) -> FormatError | JobFailed:
    """Return what the server has against the load, told of the user's file and not of the plugin's."""
    message, part, number = str(error["message"]), error["part"], error["line"]
    if not isinstance(number, int) or part not in job.names("lines"):
        return JobFailed(f"nothing was stored: {message}")
    places = cast("Sequence[JsonValue]", loads((await files.read(names.places(str(part)))).decode()))
    reason = message.removeprefix(f"part {part}, line {number}: ")
    field, _, fault = reason.partition(": ")
    if field not in FIELDS:
        field, fault = None, reason
    place = places[number - 1]
    if isinstance(place, int):
        return FormatError(fault, line=place, field=field)
    return FormatError(fault, file=str(place), field=field)


def _format(job: Job) -> ImportFormat:
    return IMPORT_FORMATS[str(job.request["format"])]


def _batches(found: Iterator[Line]) -> Iterator[list[Line]]:
    """Yield the lines in files of no more than about 8 MiB: one record of a graph may become many memories."""
    batch: list[Line] = []
    size = 0
    for line in found:
        batch.append(line)
        size += len(line.data)
        if size >= PIECE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _rest_bytes(rest: Rest) -> bytes:
    return dumps({"line": rest.line, "memo": rest.memo}).encode() + b"\n" + rest.tail


def _rest_of(data: bytes) -> Rest:
    head, _, tail = data.partition(b"\n")
    values = cast(JsonObject, loads(head.decode()))
    return Rest(cast(int, values["line"]), tail, values["memo"])
