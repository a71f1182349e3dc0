"""What the services need of the plugins: the registry and what surrounds each plugin's function. See ports.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plugin_kit.json_types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRegistration:
    """A plugin as the registry knows it. ``manifest`` is its PLUGIN_INFO."""

    plugin_id: str
    name: str
    version: str
    description: str
    author: str
    hooks: tuple[str, ...]
    priority: int
    permissions: tuple[str, ...]
    enabled: bool
    registered_at: datetime
    function_arn: str
    queue_url: str
    dead_letter_queue_url: str
    manifest: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatistics:
    """What became of a plugin's deliveries, since it was registered."""

    delivered: int = 0
    failed: int = 0
    last_delivered_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None


class PluginRegistry(Protocol):
    """Which plugins there are, and which are enabled. Reads are consistent: a change is seen by the next read."""

    async def list(self) -> list[PluginRegistration]: ...

    async def get(self, plugin_id: str) -> PluginRegistration:
        """Raises: PluginNotFound."""
        ...

    async def register(self, registration: PluginRegistration) -> None:
        """Add the plugin, or renew all but its enable state and the time of its first registration."""
        ...

    async def remove(self, plugin_id: str) -> None: ...

    async def set_enabled(self, plugin_id: str, enabled: bool) -> PluginRegistration:
        """Raises: PluginNotFound."""
        ...

    async def statistics(self, plugin_id: str) -> PluginStatistics: ...

    async def ping(self) -> None:
        """Raises: Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Events that wait for a plugin, and those that failed for good."""

    waiting: int
    dead: int


class PluginQueues(Protocol):
    """The queues between the bus and the plugins."""

    async def depth(self, registration: PluginRegistration) -> QueueDepth: ...


class PluginSql(Protocol):
    """A plugin's own schema, under the plugin's own role."""

    async def execute(
        self, plugin_id: str, sql: str, parameters: Sequence[object], *, read_only: bool
    ) -> list[JsonObject]:
        """Run one statement in one transaction and return its rows as JSON objects.

        Raises: InvalidRequest: PostgreSQL refuses the statement; the message is PostgreSQL's.
        """
        ...


class PluginSchemas(Protocol):
    """Makes and removes what a plugin has in the database."""

    async def create(self, plugin_id: str) -> None: ...

    async def drop(self, plugin_id: str) -> None: ...


class PluginFunctions(Protocol):
    """The plugins' Lambdas, called directly."""

    async def describe(self, function_arn: str) -> JsonObject:
        """Return the plugin's checked PLUGIN_INFO.

        Raises: InvalidRequest: the plugin is refused; the message is the kit's.
        """
        ...
