"""Tells how memories are used: how they grow, what is searched for, what is never found, and how long it all takes."""

from __future__ import annotations

from collections import deque
from typing import Final

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse, Memory, SearchResult

from . import growth, performance, recall, searches, tables, usage
from .answers import answer
from .operations import counts, operation
from .rows import number
from .settings import keeps_text, retention_days

PLUGIN_INFO = {
    "name": "Memory Analytics",
    "version": "1.0.0",
    "description": "Tells how memories grow and are used, what is searched for, and how long it takes",
    "author": "The mcp-memory-server authors",
    "hooks": [
        "memory_created",
        "memory_updated",
        "memory_deleted",
        "memory_retrieved",
        "search_performed",
        "search_failed",
    ],
    "permissions": ["memory:read", "users", "database:read", "database:write"],
    "config": {
        "type": "object",
        "properties": {
            "keep_query_text": {
                "type": "boolean",
                "default": False,
                "description": "Keep the text of searches. Otherwise only a keyed hash of it is kept.",
            },
            "retention_days": {
                "type": "integer",
                "minimum": 1,
                "maximum": 3660,
                "default": 90,
                "description": "Operations that are older are forgotten.",
            },
        },
        "additionalProperties": False,
    },
    "schedules": {"prune": "rate(1 day)"},
    "tasks": ["check_recalls"],
    "endpoints": [
        {"method": "GET", "path": "/stats", "handler": "get_stats", "summary": "What there is, and what is done a day"},
        {"method": "GET", "path": "/growth", "handler": "get_growth", "summary": "Memories by day or week"},
        {
            "method": "GET",
            "path": "/searches",
            "handler": "get_searches",
            "summary": "Frequent, slow and vain searches",
        },
        {"method": "GET", "path": "/recall", "handler": "get_recall", "summary": "Which memories are ever found"},
        {"method": "GET", "path": "/performance", "handler": "get_performance", "summary": "How long operations take"},
    ],
}

_LOAD_SECONDS: Final = 60
"""How long after the first change of a load its memories are looked at."""
_MAX_PARTS: Final = 25
_loads: Final[deque[JsonValue]] = deque(maxlen=100)


async def initialize(context: Context) -> None:
    """Make the tables. Where the plugin may have missed events, look through the memories of all users."""
    await context["database_service"].execute(tables.CREATE)
    if await context["database_service"].execute(tables.GET_PAUSE):
        await context["memory_service"].for_every_user("check_recalls")
        await context["database_service"].execute(tables.END_PAUSE)


async def cleanup(context: Context) -> None:
    """Remember that events may be missed from now on."""
    await context["database_service"].execute(tables.BEGIN_PAUSE)


async def memory_created(memory: Memory, context: Context) -> None:
    if counts(context):
        await context["database_service"].execute(tables.NOTE, operation(context))


async def memory_updated(memory: Memory, context: Context) -> None:
    if counts(context):
        expires_at = None if memory.expires_at is None else memory.expires_at.isoformat()
        now = [memory.project, expires_at, memory.version, memory.id, memory.version]
        await context["database_service"].execute(tables.CHANGE, [*operation(context), *now])
    elif (load := context["metadata"].get("bulk")) is not None and load not in _loads:
        # A load may have moved memories to another project: one look for all of them, when it is over.
        await context["memory_service"].later("check_recalls", delay_seconds=_LOAD_SECONDS)
        _loads.append(load)


async def memory_deleted(memory_id: str, context: Context) -> None:
    if counts(context):
        noted = operation(context, deleted_id=memory_id)
        await context["database_service"].execute(tables.FORGET, [*noted, memory_id])


async def memory_retrieved(memory: Memory, context: Context) -> None:
    if counts(context):
        recalled = [0, 1, recall.described([memory])]
        await context["database_service"].execute(tables.RECALL, [*operation(context), *recalled])


async def search_performed(query: str, results: list[SearchResult], context: Context) -> None:
    if counts(context):
        recalled = [1, 0, recall.described([result.memory for result in results])]
        noted = operation(context, query, results=len(results))
        await context["database_service"].execute(tables.RECALL, [*noted, *recalled])


async def search_failed(query: str, error: str, context: Context) -> None:
    if counts(context):
        await context["database_service"].execute(tables.NOTE, operation(context, query))


async def prune(context: Context) -> None:
    """Forget what retention says, and texts that are no longer to be kept; look through the memories of all users."""
    await _in_parts(context, tables.PRUNE, retention_days(context))
    if not keeps_text(context):
        await _in_parts(context, tables.FORGET_TEXTS)
    await context["database_service"].execute(tables.FORGET_EXPIRED)
    await context["memory_service"].for_every_user("check_recalls")


async def check_recalls(arguments: JsonObject, context: Context) -> None:
    further = await recall.check(arguments, context)
    if further is not None:
        await context["memory_service"].later("check_recalls", further)


async def get_stats(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    return await answer(request, context, usage.report)


async def get_growth(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    return await answer(request, context, growth.report)


async def get_searches(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    return await answer(request, context, searches.report)


async def get_recall(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    return await answer(request, context, recall.report)


async def get_performance(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    return await answer(request, context, performance.report)


async def _in_parts(context: Context, sql: str, *parameters: JsonValue) -> None:
    """Repeat ``sql`` until a part of its work is not full; what is left after many parts, the next day does."""
    for _ in range(_MAX_PARTS):
        (row,) = await context["database_service"].execute(sql, parameters)
        if number(row, "done") < tables.PART:
            return
