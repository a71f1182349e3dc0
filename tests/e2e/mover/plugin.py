"""Moves its user's memories out and in again, in tasks."""

from __future__ import annotations

import json

PLUGIN_INFO = {
    "name": "Mover",
    "version": "1.0.0",
    "description": "Takes snapshots and loads them",
    "author": "The tests",
    "hooks": [],
    "permissions": ["memory:read", "memory:write", "database:read", "database:write", "files", "users"],
    "tasks": ["step", "taken", "loaded", "noted"],
    "endpoints": [
        {"method": "POST", "path": "/take", "handler": "take", "summary": "Begins a snapshot"},
        {"method": "POST", "path": "/load", "handler": "load", "summary": "Loads what was taken"},
        {"method": "POST", "path": "/everybody", "handler": "everybody", "summary": "Starts a task for each user"},
        {"method": "GET", "path": "/notes", "handler": "notes", "summary": "What the tasks noted"},
        {"method": "GET", "path": "/link", "handler": "link", "summary": "Where the copy is"},
    ],
}


async def initialize(context):
    await context["database_service"].execute("CREATE TABLE IF NOT EXISTS notes (name text PRIMARY KEY, value jsonb)")


async def take(request, context):
    await context["memory_service"].later("step", {"left": 2})
    return {"began": True}


async def step(arguments, context):
    """Start the next step, and after the last one the snapshot."""
    if arguments["left"]:
        await context["memory_service"].later("step", {"left": arguments["left"] - 1})
    else:
        await context["memory_service"].snapshot("taken", {"steps": "done"}, history=True, embeddings=True)


async def taken(arguments, context):
    files = context["database_service"].files
    manifest = arguments["snapshot"]
    async with files.writer("copy.jsonl") as copy:
        for part in manifest["parts"]:
            await copy.write(await files.read(part["name"]))
            await files.delete(part["name"])
    await _note(context, "taken", {**arguments, "size": await files.size("copy.jsonl")})


async def load(request, context):
    await context["memory_service"].load("once", ["copy.jsonl"], "loaded")
    return {"began": True}


async def loaded(arguments, context):
    await _note(context, "loaded", arguments)


async def everybody(request, context):
    return {"users": await context["memory_service"].for_every_user("noted", {"why": "asked"})}


async def noted(arguments, context):
    await _note(context, f"noted {context['user_id']}", arguments)


async def notes(request, context):
    rows = await context["database_service"].query("SELECT name, value FROM notes")
    return {row["name"]: row["value"] for row in rows}


async def link(request, context):
    return {"url": await context["database_service"].files.link("copy.jsonl", seconds=60, filename="copy 1.jsonl")}


async def _note(context, name, value):
    await context["database_service"].execute(
        "INSERT INTO notes VALUES (%s, %s::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, json.dumps(value)],
    )
