"""The steps of an import: what was sent is unpacked, read piece by piece into lines that are checked, and loaded.

Nothing is stored before all of it was read, and then all of it or nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, cast

from plugin_kit.context import Conflict, Context
from plugin_kit.json_types import JsonObject, dumps

from . import names
from .formats.json_text import loads
from .formats.reading import IMPORT_FORMATS, ImportFormat, lines, unpacked
from .formats.syntax import Rest
from .jobs import Change, Job, JobFailed

_PIECE_BYTES: Final = 8 * 1024 * 1024
_MAX_BYTES: Final = 2 * 1024 * 1024 * 1024


async def unpack(job: Job, context: Context) -> Change:
    """Write the pieces of the next file that was sent. ``sources`` has the names of the parts of each."""
    files = context["database_service"].files
    sources = cast("Sequence[Sequence[str]]", job.files["sources"])
    written: list[str] = job.names("pieces")
    with tempfile.TemporaryFile() as file:
        for name in sources[job.step]:
            file.write(await files.read(name))
        file.seek(0)
        pieces = unpacked(_format(job), cast(BinaryIO, file), size=_PIECE_BYTES, limit=_MAX_BYTES)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            written.append(names.piece(job.id, job.step, len(written)))
            await files.write(written[-1], piece)
    if job.step + 1 < len(sources):
        return Change(state="unpacking", step=job.step + 1, files={"pieces": written})
    return Change(state="checking", files={"pieces": written})


async def check(job: Job, context: Context) -> Change:
    """Write the lines of the memories that are complete with the next piece."""
    files = context["database_service"].files
    pieces, written = job.names("pieces"), job.names("lines")
    piece = await files.read(pieces[job.step]) if pieces else b""
    rest = _rest_of(await files.read(names.rest(job.id, job.step))) if job.step else None
    last = job.step + 1 >= len(pieces)
    syntax = _format(job).syntax(rest)
    batches = _batches(lines(_format(job), syntax, piece, last=last))
    count = cast(int, job.result.get("memories", 0))
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        written.append(names.lines(job.id, job.step, len(written)))
        await files.write(written[-1], b"".join(batch))
        count += len(batch)
    result, used = {"memories": count}, pieces[job.step : job.step + 1]
    if not last:
        await files.write(names.rest(job.id, job.step + 1), _rest_bytes(syntax.rest))
        return Change(state="checking", step=job.step + 1, files={"lines": written}, result=result, used=used)
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


def loaded(answer: JsonObject) -> Change:
    """Return what the answer of the server leads to.

    Raises:
        JobFailed: nothing was stored.
    """
    error = cast("JsonObject | None", answer["error"])
    if error is not None:
        raise JobFailed(f"nothing was stored: {error['message']}")
    counts = {name: answer[name] for name in ("created", "updated", "skipped", "unchanged")}
    return Change(state="done", result=counts)


def _format(job: Job) -> ImportFormat:
    return IMPORT_FORMATS[str(job.request["format"])]


def _batches(found: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in files of no more than about 8 MiB: one record of a graph may become many memories."""
    batch: list[bytes] = []
    size = 0
    for line in found:
        batch.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
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
