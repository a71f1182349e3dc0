"""Answers with 50 MB wherever it can."""

from __future__ import annotations

PLUGIN_INFO = {
    "name": "Answers too much",
    "version": "1.0.0",
    "description": "Answers with 50 MB",
    "author": "The tests",
    "hooks": ["memory_created"],
    "permissions": ["memory:write"],
    "endpoints": [{"method": "GET", "path": "/big", "handler": "big", "summary": "50 MB"}],
}

MEGABYTES_10 = 10 * 1024 * 1024  # more than Lambda takes
MEGABYTES_50 = 50 * 1024 * 1024


async def big(request, context):
    return "x" * MEGABYTES_50


async def memory_created(memory, context):
    await context["memory_service"].create(content="x" * MEGABYTES_10)
    return "x" * MEGABYTES_50
