"""Tells a service of yours of each new memory, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import httpx

from plugin_kit.context import Context
from plugin_kit.models import Memory

PLUGIN_INFO = {
    "name": "Integration Plugin",
    "version": "1.0.0",
    "description": "Tells a service of yours of each new memory",
    "author": "The mcp-memory-server authors",
    "hooks": ["memory_created"],
    "enabled": False,  # it can do nothing before it is told where to
    "config": {
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": "^https?://", "description": "Gets a POST for each memory."}
        },
        "required": ["url"],
        "additionalProperties": False,
    },
    "secrets": ["api_token"],
}

# A hook has 30 seconds in all. A service that is slow now is asked again later.
TIMEOUT = httpx.Timeout(10.0, connect=3.0)

COME_AGAIN = {408, 425, 429}


async def initialize(context: Context) -> None:
    if not _config(context).get("url"):
        raise ValueError("it does not know whom to tell: set the url in its config, and then enable it")


async def memory_created(memory: Memory, context: Context) -> None:
    secrets = cast("Mapping[str, str]", context["server_config"]["secrets"])
    async with httpx.AsyncClient(timeout=TIMEOUT) as client:
        response = await client.post(
            _config(context)["url"],
            json={"memory_id": memory.id, "project": memory.project, "tags": list(memory.tags)},
            headers={
                "Authorization": f"Bearer {secrets['api_token']}",
                # The same event can come again: the service knows by this that it has had it.
                "Idempotency-Key": str(context["metadata"]["event_id"]),
            },
        )
    if response.is_client_error and response.status_code not in COME_AGAIN:
        # It would answer the same the next time, so the event is done with.
        context["logger"].error("the service refused memory %s with %s", memory.id, response.status_code)
        return
    response.raise_for_status()


def _config(context: Context) -> Mapping[str, str]:
    return cast("Mapping[str, str]", context["server_config"]["config"])
