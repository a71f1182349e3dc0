"""Plugins in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from memory_server.services.plugin_lifecycle import Disabled
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
    "disabled_reason": None,
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
    disabled_reason: str | None = Field(description="Why the server disabled it, or did not enable it.")
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
            disabled_reason=registration.disabled_reason,
            registered_at=registration.registered_at,
        )


class DisabledPluginOut(PluginOut):
    """A plugin that is disabled now."""

    warnings: list[str] = Field(description="What failed while it was switched off: its cleanup, say.")

    @classmethod
    def after(cls, disabled: Disabled) -> DisabledPluginOut:
        """Return the answer that shows ``disabled``."""
        plugin = PluginOut.of(disabled.registration)
        return cls(**plugin.model_dump(), warnings=list(disabled.warnings))


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
