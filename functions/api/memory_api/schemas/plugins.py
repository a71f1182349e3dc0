"""Plugins in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from memory_server.services.plugin_ports import PluginRegistration
from memory_server.services.plugins import PluginStatus

_PLUGIN: Final[JsonDict] = {
    "id": "memory_analytics",
    "name": "memory_analytics",
    "version": "1.0.0",
    "description": "Counts what happens to memories.",
    "author": "mcp-memory-server",
    "hooks": ["memory_created"],
    "priority": 100,
    "permissions": ["database:write"],
    "enabled": True,
    "registered_at": "2026-01-31T12:00:00Z",
}


class PluginOut(BaseModel):
    """A registered plugin."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PLUGIN]})

    id: str
    name: str
    version: str
    description: str
    author: str
    hooks: list[str] = Field(description="The events that it gets.")
    priority: int = Field(description="Lower gets an event first.")
    permissions: list[str]
    enabled: bool
    registered_at: datetime

    @classmethod
    def of(cls, registration: PluginRegistration) -> PluginOut:
        """Return the answer that shows ``registration``."""
        return cls(
            id=registration.plugin_id,
            name=registration.name,
            version=registration.version,
            description=registration.description,
            author=registration.author,
            hooks=list(registration.hooks),
            priority=registration.priority,
            permissions=list(registration.permissions),
            enabled=registration.enabled,
            registered_at=registration.registered_at,
        )


class PluginList(BaseModel):
    """All registered plugins."""

    plugins: list[PluginOut]


class StatisticsOut(BaseModel):
    """What became of the plugin's deliveries since it was registered."""

    model_config = ConfigDict(from_attributes=True)

    delivered: int
    failed: int
    last_delivered_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None


class QueueOut(BaseModel):
    """The events between the bus and the plugin; the figures may be some seconds old."""

    model_config = ConfigDict(from_attributes=True)

    waiting: int
    dead: int = Field(description="Events that failed for good, in the dead-letter queue.")


class PluginStatusOut(BaseModel):
    """How a plugin does."""

    plugin: PluginOut
    health: Literal["ok", "failing", "disabled"] = Field(description="failing: its last delivery failed.")
    statistics: StatisticsOut
    queue: QueueOut

    @classmethod
    def of(cls, status: PluginStatus) -> PluginStatusOut:
        """Return the answer that shows ``status``."""
        return cls(
            plugin=PluginOut.of(status.registration),
            health=status.health,
            statistics=StatisticsOut.model_validate(status.statistics),
            queue=QueueOut.model_validate(status.queue),
        )
