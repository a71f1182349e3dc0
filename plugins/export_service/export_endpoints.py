"""The endpoints of exports."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast
from uuid import uuid4

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse

from . import answers, requests
from .flow import delete_files, job_of, start, store_of, take_up
from .formats.writing import EXPORT_FORMATS

ENDPOINTS: Final = [
    {
        "method": "POST",
        "path": "/exports",
        "handler": "start_export",
        "summary": "Start an export",
        "scope": "memories:read",
        "request": requests.EXPORT,
    },
    {
        "method": "GET",
        "path": "/exports",
        "handler": "list_exports",
        "summary": "List your exports, newest first",
        "scope": "memories:read",
    },
    {
        "method": "GET",
        "path": "/exports/{id}",
        "handler": "get_export",
        "summary": "How far an export is, and where its file is to be had",
        "scope": "memories:read",
    },
    {
        "method": "GET",
        "path": "/exports/{id}/download",
        "handler": "download_export",
        "summary": "Go to the file of an export",
        "scope": "memories:read",
    },
    {
        "method": "DELETE",
        "path": "/exports/{id}",
        "handler": "delete_export",
        "summary": "Delete an export and its file, or stop it",
        "scope": "memories:read",
    },
]


async def start_export(request: EndpointRequest, context: Context) -> EndpointResponse:
    """Answer 202 with the new export."""
    body = cast(JsonObject, request.body)
    asked: dict[str, JsonValue] = {"compression": "none", "embeddings": False, "filter": {}, **body}
    fault = _fault(asked)
    if fault is not None:
        return fault
    store, days = store_of(context), answers.config(context)["keep_days"]
    job = await store.add(str(uuid4()), "export", "snapshot", asked, {}, days=days, most=requests.MAX_RUNNING)
    if job is None:
        return requests.too_many()
    await start(job, context)
    location = f"/plugins/{context['plugin_name']}/exports/{job.id}"
    return EndpointResponse(status=202, body=await answers.export_view(job, context), headers={"Location": location})


async def list_exports(request: EndpointRequest, context: Context) -> JsonValue:
    """Answer the newest 100, without links."""
    return {"exports": [answers.view(job) for job in await store_of(context).newest("export")]}


async def get_export(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    """Answer the export; one that has not moved for a while is taken up again."""
    job = await job_of(request, context, "export")
    if job is None:
        return requests.not_found("export")
    if job.is_running:
        await take_up(context)
    return await answers.export_view(job, context)


async def download_export(request: EndpointRequest, context: Context) -> EndpointResponse:
    """Send the client on to the file."""
    job = await job_of(request, context, "export")
    if job is None:
        return requests.not_found("export")
    if job.state != "done":
        return requests.problem(409, f"the export is {job.state}: it has a file when it is done")
    shown = await answers.export_view(job, context)
    url = str(cast(JsonObject, shown["download"])["url"])
    return EndpointResponse(status=307, body={"url": url}, headers={"Location": url, "Cache-Control": "no-store"})


async def delete_export(request: EndpointRequest, context: Context) -> EndpointResponse:
    """Delete the export with all its files."""
    job = await job_of(request, context, "export")
    if job is None:
        return requests.not_found("export")
    await store_of(context).remove(job.id)
    await delete_files(job, context)
    return EndpointResponse(body={"id": job.id, "deleted": True})


def _fault(asked: JsonObject) -> EndpointResponse | None:
    """Return the answer to what the schema cannot say is wrong."""
    if EXPORT_FORMATS[str(asked["format"])].is_archive and asked["compression"] != "none":
        return requests.field_problem("compression", "must be none: the Markdown files come in a ZIP archive")
    conditions = cast(JsonObject, asked["filter"])
    since, until = (conditions.get(name) for name in ("since", "until"))
    if since and until and _time(until) <= _time(since):
        return requests.field_problem("filter.until", "must be later than since")
    return None


def _time(value: JsonValue) -> datetime:
    return datetime.fromisoformat(str(value).upper())
