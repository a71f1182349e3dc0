"""Exports memories as JSON, JSON Lines, CSV or Markdown, and imports these and the files of other memory servers."""

from __future__ import annotations

from typing import cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject

from . import export_endpoints, exporting, flow, import_endpoints, importing, store
from .export_endpoints import delete_export, download_export, get_export, list_exports, start_export
from .import_endpoints import get_import, list_imports, start_import, start_upload, take_chunk

__all__ = [
    "delete_export",
    "download_export",
    "get_export",
    "get_import",
    "list_exports",
    "list_imports",
    "start_export",
    "start_import",
    "start_upload",
    "take_chunk",
]

PLUGIN_INFO = {
    "name": "Export Service",
    "version": "1.0.0",
    "description": "Exports memories to files and imports them from files, also from those of other memory servers",
    "author": "The mcp-memory-server authors",
    "hooks": [],
    "permissions": ["memory:read", "memory:write", "database:read", "database:write", "files", "users"],
    "config": {
        "type": "object",
        "properties": {
            "keep_days": {
                "type": "integer",
                "minimum": 1,
                "maximum": 365,
                "default": 7,
                "description": "For how long an export and its file are kept, and the account of an import.",
            },
            "link_minutes": {
                "type": "integer",
                "minimum": 1,
                "maximum": 10080,
                "default": 60,
                "description": "For how long a download link works.",
            },
        },
        "additionalProperties": False,
    },
    "tasks": ["work", "snapshot_taken", "memories_loaded", "take_up"],
    "schedules": {"look_after": "rate(5 minutes)"},
    "endpoints": [*export_endpoints.ENDPOINTS, *import_endpoints.ENDPOINTS],
}


async def initialize(context: Context) -> None:
    """Make the tables."""
    await context["database_service"].execute(store.TABLES)


async def work(arguments: JsonObject, context: Context) -> None:
    """Do one step of a job."""
    await flow.work(arguments, context)


async def snapshot_taken(arguments: JsonObject, context: Context) -> None:
    """Go on with an export: its memories were read."""
    manifest = cast(JsonObject, arguments["snapshot"])
    await flow.answered(arguments, context, lambda: exporting.snapshot_taken(manifest), "snapshot")


async def memories_loaded(arguments: JsonObject, context: Context) -> None:
    """End an import: its memories were stored, or none of them."""
    answer = cast(JsonObject, arguments["load"])
    await flow.answered(arguments, context, lambda: importing.loaded(answer), "storing")


async def take_up(arguments: JsonObject, context: Context) -> None:
    """Go on with the jobs of a user that do not move, and forget those that have expired."""
    await flow.take_up(context)
    await flow.forget_expired(context)


async def look_after(context: Context) -> None:
    """Let each user's jobs be looked after where any of them needs it: files are reached in their user's name alone."""
    database = context["database_service"]
    if await store.any_to_look_after(database):
        await context["memory_service"].for_every_user("take_up")
    await store.forget_uploads(database)
