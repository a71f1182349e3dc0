"""Plugins of the tests' own, written as their authors would, and the settings that deploy them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

COUNTER = '''
"""Counts memories, each once, and notes the version of a library that another plugin has in another version."""

import packaging

PLUGIN_INFO = {
    "name": "Counter",
    "version": "1.0.0",
    "description": "Counts memories",
    "author": "The tests",
    "hooks": ["memory_created"],
    "permissions": ["database:write"],
}

COUNT = """
    WITH counted AS (INSERT INTO seen VALUES (%s) ON CONFLICT DO NOTHING RETURNING event_id)
    INSERT INTO total SELECT %s, count(*) FROM counted
    ON CONFLICT (library) DO UPDATE SET events = total.events + excluded.events
"""


async def initialize(context):
    database = context["database_service"]
    await database.execute("CREATE TABLE IF NOT EXISTS seen (event_id text PRIMARY KEY)")
    await database.execute("CREATE TABLE IF NOT EXISTS total (library text PRIMARY KEY, events bigint NOT NULL)")


async def memory_created(memory, context):
    await context["database_service"].execute(COUNT, [context["metadata"]["event_id"], packaging.__version__])
'''

RANKED = '''
"""Notes when it began and ended each event; every tenth event fails at its first try where it is told to."""

import asyncio
from datetime import datetime, timezone

PLUGIN_INFO = {{
    "name": "Ranked",
    "version": "1.0.0",
    "description": "Notes its times",
    "author": "The tests",
    "hooks": ["memory_created"],
    "permissions": ["database:write"],
    "priority": {priority},
}}

tried = set()


async def initialize(context):
    await context["database_service"].execute(
        "CREATE TABLE IF NOT EXISTS times (event_id text PRIMARY KEY, began timestamptz, ended timestamptz)"
    )


async def memory_created(memory, context):
    began = datetime.now(timezone.utc)
    event_id = context["metadata"]["event_id"]
    if {fails} and memory.content.endswith("0") and event_id not in tried:
        tried.add(event_id)
        raise RuntimeError("now and then")
    await asyncio.sleep(0.01)
    ended = datetime.now(timezone.utc)
    await context["database_service"].execute(
        "INSERT INTO times VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [event_id, began.isoformat(), ended.isoformat()],
    )
'''


RAISER = """
PLUGIN_INFO = {
    "name": "Raiser",
    "version": "1.0.0",
    "description": "Raises at every memory",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    raise RuntimeError("this plugin cannot do it")
"""

LOADER = """
import json

PLUGIN_INFO = {
    "name": "Loader",
    "version": "1.0.0",
    "description": "Loads memories in bulk",
    "author": "The tests",
    "hooks": [],
    "permissions": ["memory:write", "files", "cache"],
    "tasks": ["loaded"],
    "endpoints": [
        {"method": "POST", "path": "/loads/{key}", "handler": "load", "summary": "Load memories"},
        {"method": "GET", "path": "/loads/{key}", "handler": "result", "summary": "What became of a load"},
    ],
}


async def load(request, context):
    key = request.path_params["key"]
    lines = "".join(json.dumps(line) + "\\n" for line in request.body["memories"])
    await context["database_service"].files.write(f"{key}.jsonl", lines.encode())
    await context["memory_service"].load(key, [f"{key}.jsonl"], "loaded", conflict=request.body["conflict"])


async def loaded(arguments, context):
    await context["cache_service"].set(arguments["load"]["key"], arguments["load"])


async def result(request, context):
    return await context["cache_service"].get(request.path_params["key"])
"""


def write_plugin(home: Path, plugin_id: str, code: str, requirements: str = "") -> Path:
    """Write the plugin's folder below ``home`` and return it."""
    folder = home / plugin_id
    folder.mkdir(parents=True)
    (folder / "plugin.py").write_text(code)
    (folder / "requirements.txt").write_text(requirements)
    (folder / "README.md").write_text(f"# {plugin_id}\n")
    return folder


def write_settings(path: Path, folders: Sequence[Path], **plugins: object) -> Path:
    """Write the settings that deploy ``folders`` beside the built-in plugins, and return their path."""
    content = {"plugins": {"plugins": ["memory_analytics", *map(str, folders)], **plugins}}
    path.write_text(yaml.safe_dump(content))
    return path
