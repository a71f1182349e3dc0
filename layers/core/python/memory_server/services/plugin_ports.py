"""What the services need of the plugins: the registry and what surrounds each plugin's function. See ports.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from plugin_kit.json_types import JsonObject, JsonValue

LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRegistration:
    """A plugin as the registry knows it. ``manifest`` is its PLUGIN_INFO.

    ``disabled_reason`` says why the server itself disabled the plugin, or did not enable it.
    """

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
    disabled_reason: str | None = None
    log_level: LogLevel = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatistics:
    """What became of a plugin's deliveries, since it was registered.

    ``latencies`` counts runs of hooks by their upper bound in milliseconds. ``health`` is what the plugin's
    ``health_check`` returned last.
    """

    delivered: int = 0
    failed: int = 0
    consecutive_failures: int = 0
    last_delivered_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    last_endpoint_error: str | None = None
    last_endpoint_error_at: datetime | None = None
    latencies: Mapping[int, int] = field(default_factory=dict[int, int])
    health: JsonValue = None
    health_at: datetime | None = None

    @property
    def error_rate(self) -> float:
        """The part of the deliveries that failed, 0 where there were none."""
        deliveries = self.delivered + self.failed
        return self.failed / deliveries if deliveries else 0.0

    def latency(self, fraction: float) -> int | None:
        """Return the bound in milliseconds within which ``fraction`` of the runs ended, None where there were none."""
        wanted = fraction * sum(self.latencies.values())
        runs = 0
        for bound, number in sorted(self.latencies.items()):
            runs += number
            if runs >= wanted:
                return bound
        return None


class PluginRegistry(Protocol):
    """Which plugins there are, and which are enabled. Reads are consistent: a change is seen by the next read."""

    async def list(self) -> list[PluginRegistration]: ...

    async def get(self, plugin_id: str) -> PluginRegistration:
        """Raises: PluginNotFound."""
        ...

    async def register(self, registration: PluginRegistration) -> None:
        """Add the plugin, or renew what its deployment says; enable state, reason, log level and first time stay."""
        ...

    async def remove(self, plugin_id: str) -> None:
        """Forget the plugin, with its statistics and its config."""
        ...

    async def set_enabled(self, plugin_id: str, enabled: bool, *, reason: str | None = None) -> PluginRegistration:
        """Set the enable state, and ``reason`` as the ``disabled_reason``.

        Raises: PluginNotFound.
        """
        ...

    async def set_log_level(self, plugin_id: str, level: LogLevel) -> PluginRegistration:
        """Raises: PluginNotFound."""
        ...

    async def statistics(self, plugin_id: str) -> PluginStatistics: ...

    async def note_endpoint_error(self, plugin_id: str, user_id: str, message: str, at: datetime) -> None:
        """Keep the last error of the plugin's endpoints, which its host may not have lived to write, and whose it was.

        It goes with the user.
        """
        ...

    async def ping(self) -> None:
        """Raises: Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Events that wait for a plugin, that it works on or will try again soon, and that failed for good."""

    waiting: int
    in_flight: int
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


@dataclass(frozen=True, slots=True)
class FiredHook:
    """What a hook returned, the lines that it wrote, and for how long it ran."""

    returned: JsonValue
    logs: tuple[str, ...]
    milliseconds: int


class PluginFunctions(Protocol):
    """The plugins' Lambdas, called directly.

    Every method raises Unavailable where Lambda does not answer.
    """

    async def describe(self, function_arn: str) -> JsonObject:
        """Return the plugin's checked PLUGIN_INFO.

        Raises: InvalidRequest: the plugin is refused; the message is the kit's.
        """
        ...

    async def initialize(self, function_arn: str) -> None:
        """Run the plugin's ``initialize``, whether or not it ran before.

        Raises: PluginFailed: it raised, or did not end in time.
        """
        ...

    async def cleanup(self, function_arn: str) -> None:
        """Run the plugin's ``cleanup``.

        Raises: PluginFailed: it raised, or did not end in time.
        """
        ...

    async def fire(self, function_arn: str, detail: JsonObject) -> FiredHook:
        """Run the hook of the event ``detail`` now, whether or not it ran for it before; nothing is counted.

        Raises: PluginFailed: it raised, or did not end in time.
        """
        ...

    async def call_endpoint(self, function_arn: str, handler: str, request: JsonObject, event: JsonObject) -> JsonValue:
        """Run the ``handler`` of an endpoint and return what it answers, which may be anything.

        Raises: PluginFailed: it raised, crashed, or did not end in time (kind ``TimedOut``).
        """
        ...


class PluginSchedules(Protocol):
    """What calls a plugin's functions at their times.

    Every method raises Unavailable where Scheduler does not answer.
    """

    async def apply(self, registration: PluginRegistration, expressions: Mapping[str, str]) -> None:
        """Make the schedules of these names and expressions, or change them; one that is so already stays untouched.

        Raises: InvalidRequest: Scheduler refuses an expression; the path is ``schedules`` and the name.
        """
        ...

    async def delete(self, plugin_id: str, names: Sequence[str]) -> None:
        """Delete the schedules of these names, where they are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginConfig:
    """What the operator set: ``values`` beside the schema's defaults, ``schedules`` in place of the manifest's."""

    values: JsonObject = field(default_factory=dict[str, JsonValue])
    schedules: Mapping[str, str] = field(default_factory=dict[str, str])


class PluginConfigs(Protocol):
    """The config of each plugin. Reads are consistent."""

    async def get(self, plugin_id: str) -> PluginConfig:
        """Return what was set, nothing for a plugin that nothing was set for."""
        ...

    async def put(
        self, plugin_id: str, *, values: JsonObject | None = None, schedules: Mapping[str, str] | None = None
    ) -> PluginConfig:
        """Replace what is given, and return what is set now."""
        ...


class PluginSecrets(Protocol):
    """The secrets of each plugin by name. A value goes in and never comes out.

    Every method raises Unavailable where the store does not answer, or has no place for the plugin's.
    """

    async def names(self, plugin_id: str) -> frozenset[str]:
        """Return the names that have a value."""
        ...

    async def put(self, plugin_id: str, name: str, value: str) -> None: ...

    async def delete(self, plugin_id: str, name: str) -> None: ...
