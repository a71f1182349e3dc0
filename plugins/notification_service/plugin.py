"""Tells people and programs of what happens to memories: by email, webhook, Slack and all that Apprise knows."""

from __future__ import annotations

from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.models import Memory, SearchResult

from . import notices
from .channel_endpoints import (
    change_channel,
    create_channel,
    delete_channel,
    get_channel,
    list_channels,
    test_channel,
)
from .delivery import Deliverer
from .errors import NotificationError
from .log_endpoint import list_notifications
from .outbox import Outbox
from .rule_endpoints import change_rule, create_rule, delete_rule, get_rule, list_rules
from .schemas import ENDPOINTS
from .tables import CREATE
from .telling import tell

__all__ = [
    "PLUGIN_INFO",
    "change_channel",
    "change_rule",
    "create_channel",
    "create_rule",
    "delete_channel",
    "delete_rule",
    "get_channel",
    "get_rule",
    "list_channels",
    "list_notifications",
    "list_rules",
    "test_channel",
]

PLUGIN_INFO = {
    "name": "Notification Service",
    "version": "1.0.0",
    "description": "Tells of what happens to memories by email, webhook, Slack and a hundred other services",
    "author": "The mcp-memory-server authors",
    "hooks": list(notices.HOOKS),
    "permissions": ["database:read", "database:write"],
    "config": {
        "type": "object",
        "properties": {
            "allow_private_networks": {
                "description": "Whether channels may lead to private networks and to this machine, or to which",
                "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}],
                "default": False,
            },
            "retention_days": {
                "description": "For how long the log is kept; as long, no event is told of twice",
                "type": "integer",
                "minimum": 15,
                "maximum": 3650,
                "default": 30,
            },
        },
        "additionalProperties": False,
    },
    "secrets": ["encryption_key"],
    "schedules": {"send_due": "rate(1 minute)", "forget_old": "cron(17 3 * * ? *)"},
    "endpoints": ENDPOINTS,
}

_SCHEDULE_SECONDS: Final = 14.0  # what is being sent then may take as long again


async def initialize(context: Context) -> None:
    """Make the tables."""
    await context["database_service"].execute(CREATE)


async def memory_created(memory: Memory, context: Context) -> None:
    await tell(notices.of_memory(memory, context), context)


async def memory_updated(memory: Memory, context: Context) -> None:
    await tell(notices.of_memory(memory, context), context)


async def memory_deleted(memory_id: str, context: Context) -> None:
    await tell(notices.of_deletion(memory_id, context), context)


async def memory_retrieved(memory: Memory, context: Context) -> None:
    await tell(notices.of_memory(memory, context), context)


async def search_performed(query: str, results: list[SearchResult], context: Context) -> None:
    await tell(notices.of_search(query, results, context), context)


async def search_failed(query: str, error: str, context: Context) -> None:
    await tell(notices.of_failure(query, error, context), context)


async def send_due(context: Context) -> None:
    """Send what waits: digests, what quiet hours and throttles held back, and what failed before."""
    outbox = Outbox(context["database_service"])
    channels = await outbox.due_channels()
    if not channels:
        return
    try:
        await Deliverer.of(context, seconds=_SCHEDULE_SECONDS, patient=True).deliver(channels)
    except NotificationError as error:
        context["logger"].warning("notifications wait: %s", error)


async def forget_old(context: Context) -> None:
    """Delete the log beyond its retention."""
    config = cast("dict[str, int]", context["server_config"]["config"])
    await Outbox(context["database_service"]).forget(config["retention_days"])
