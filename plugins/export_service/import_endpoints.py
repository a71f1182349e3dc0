"""The endpoints of imports, and of the files that are sent for them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final, TypeAlias, cast
from uuid import uuid4

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse

from . import answers, names, requests
from .flow import delete_files, job_of, start, store_of, take_up
from .formats.reading import IMPORT_FORMATS

MAX_CHUNKS: Final = 2000
MAX_CHUNK_BYTES: Final = 768 * 1024
_SOURCES: Final = ("export_id", "upload_id", "text")

Sources: TypeAlias = Sequence[Sequence[JsonValue]]
"""For each file that is imported its parts, which are names of files and pieces of them."""

ENDPOINTS: Final = [
    {
        "method": "POST",
        "path": "/uploads",
        "handler": "start_upload",
        "summary": "Begin to send a file that is to be imported",
        "scope": "memories:write",
    },
    {
        "method": "PUT",
        "path": "/uploads/{id}/chunks/{number}",
        "handler": "take_chunk",
        "summary": "Send a chunk of a file; chunks count from 0 and may come in any order",
        "scope": "memories:write",
        "request": requests.CHUNK,
    },
    {
        "method": "POST",
        "path": "/imports",
        "handler": "start_import",
        "summary": "Start an import",
        "scope": "memories:write",
        "request": requests.IMPORT,
    },
    {
        "method": "GET",
        "path": "/imports",
        "handler": "list_imports",
        "summary": "List your imports, newest first",
        "scope": "memories:write",
    },
    {
        "method": "GET",
        "path": "/imports/{id}",
        "handler": "get_import",
        "summary": "How far an import is, and what it did",
        "scope": "memories:write",
    },
    {
        "method": "DELETE",
        "path": "/imports/{id}",
        "handler": "delete_import",
        "summary": "Stop an import that stores nothing yet, or forget one that has ended",
        "scope": "memories:write",
    },
]


async def start_upload(request: EndpointRequest, context: Context) -> EndpointResponse:
    """Answer 201 with the id of an upload."""
    upload_id = str(uuid4())
    await store_of(context).add_upload(upload_id)
    return EndpointResponse(
        status=201, body={"id": upload_id, "max_chunk_bytes": MAX_CHUNK_BYTES, "max_chunks": MAX_CHUNKS}
    )


async def take_chunk(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    """Keep a chunk; one that comes again replaces the one before."""
    upload_id, text = request.path_params["id"], request.path_params["number"]
    store = store_of(context)
    if not requests.is_id(upload_id) or await store.chunks(upload_id) is None:
        return requests.not_found("upload")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else MAX_CHUNKS
    if number >= MAX_CHUNKS:
        return requests.problem(422, f"chunk {text[:20]}: chunks have the numbers 0 to {MAX_CHUNKS - 1}")
    try:
        data = base64.b64decode(str(cast(JsonObject, request.body)["base64"]), validate=True)
    except binascii.Error as error:
        return requests.field_problem("base64", f"is not base64: {error}")
    if not 1 <= len(data) <= MAX_CHUNK_BYTES:
        return requests.field_problem("base64", f"must be 1 to {MAX_CHUNK_BYTES:,} bytes: it is {len(data):,} bytes")
    await context["database_service"].files.write(names.upload(upload_id, number), data)
    await store.add_chunk(upload_id, number, len(data))
    numbers, size = await store.chunks(upload_id) or ([], 0)
    return {"id": upload_id, "chunks": len(numbers), "bytes": size}


async def start_import(request: EndpointRequest, context: Context) -> EndpointResponse:
    """Answer 202 with the new import."""
    body = cast(JsonObject, request.body)
    given = [name for name in _SOURCES if name in body]
    if len(given) != 1:
        return requests.field_problem("export_id", "give exactly one of export_id, upload_id and text")
    job_id = str(uuid4())
    asked: dict[str, JsonValue] = {"conflict": "skip", "project": None, "dry_run": False, **body}
    sources = await _sources(given[0], asked, job_id, context)
    if isinstance(sources, EndpointResponse):
        return sources
    if "format" not in asked:
        return requests.field_problem("format", f"is missing: write one of {', '.join(IMPORT_FORMATS)}")
    store, days = store_of(context), answers.config(context)["keep_days"]
    asked.pop("text", None)
    job = await store.add(
        job_id, "import", "unpacking", asked, {"sources": sources}, days=days, most=requests.MAX_RUNNING
    )
    if job is None:
        return requests.too_many()
    await start(job, context)
    location = f"/plugins/{context['plugin_name']}/imports/{job.id}"
    return EndpointResponse(status=202, body=answers.view(job), headers={"Location": location})


async def list_imports(request: EndpointRequest, context: Context) -> JsonValue:
    """Answer the newest 100."""
    return {"imports": [answers.view(job) for job in await store_of(context).newest("import")]}


async def get_import(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    """Answer the import; one that has not moved for a while is taken up again."""
    job = await job_of(request, context, "import")
    if job is None:
        return requests.not_found("import")
    if job.is_running:
        await take_up(context)
    return answers.view(job)


async def delete_import(request: EndpointRequest, context: Context) -> EndpointResponse:
    """Delete the import with all its files; one whose memories are being stored cannot be stopped any more."""
    job = await job_of(request, context, "import")
    if job is None:
        return requests.not_found("import")
    removed = await store_of(context).remove_unless(job.id, "storing")
    if removed is None:
        return requests.problem(409, "its memories are being stored: wait until it has ended, then delete it")
    await delete_files(removed, context)
    return EndpointResponse(body={"id": job.id, "deleted": True})


async def _sources(
    source: str, asked: dict[str, JsonValue], job_id: str, context: Context
) -> Sources | EndpointResponse:
    """Return the names of the parts of each file that is imported; an export says its format itself."""
    if source == "export_id":
        return await _export_chunks(asked, context)
    if source == "upload_id":
        return await _upload_chunks(str(asked["upload_id"]), context)
    if asked.get("format") == "markdown":
        return requests.field_problem("text", "a ZIP archive is no text: send it to /uploads")
    name = names.text(job_id)
    try:
        await context["database_service"].files.write(name, str(asked["text"]).encode())
    except UnicodeEncodeError:
        return requests.field_problem("text", "must be valid Unicode: it contains half of a surrogate pair")
    return [[name]]


async def _export_chunks(asked: dict[str, JsonValue], context: Context) -> Sources | EndpointResponse:
    export = await store_of(context).get(str(asked["export_id"]))
    if export is None or export.kind != "export":
        return requests.field_problem("export_id", "there is no such export, or it is not yours")
    if export.state != "done":
        return requests.field_problem("export_id", f"the export is {export.state}: it can be imported when it is done")
    if asked.setdefault("format", export.request["format"]) != export.request["format"]:
        return requests.field_problem("format", f"must be {export.request['format']}, the export's: leave it out")
    return cast(Sources, export.files["sources"])


async def _upload_chunks(upload_id: str, context: Context) -> Sources | EndpointResponse:
    found = await store_of(context).chunks(upload_id)
    if found is None:
        return requests.field_problem("upload_id", "there is no such upload, it is over 12 hours old, or not yours")
    numbers, _ = found
    missing = next((number for number, there in enumerate(numbers) if number != there), len(numbers))
    if missing < len(numbers) or not numbers:
        return requests.field_problem("upload_id", f"chunk {missing} of the upload is missing: send it")
    return [[names.upload(upload_id, number) for number in numbers]]
