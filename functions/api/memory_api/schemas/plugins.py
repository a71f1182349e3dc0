"""Plugins in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from memory_server.services.plugin_lifecycle import Disabled
from memory_server.services.plugin_ports import PluginRegistration

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
