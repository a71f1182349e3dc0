"""Plugins' tasks: work that outlasts an event, delivered on the plugin's own queue like an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, cast

from memory_server.domain.errors import InvalidRequest
from memory_server.domain.events import new_id
from memory_server.domain.grants import Grant, sign
from memory_server.services.plugin_ports import PluginRegistration, PluginRegistry
from memory_server.services.ports import Clock
from memory_server.services.transfer_requests import Caller
from plugin_kit.json_types import JsonObject, JsonValue, dumps

# Longer than any queue keeps a message, so that a grant never ends before its task does.
GRANT_LIFETIME: Final = timedelta(days=15)


class TaskQueues(Protocol):
    """The plugins' queues, for what the server puts there itself."""

    async def send(self, queue_url: str, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        """Put messages into the queue.

        Raises: Unavailable: the queue did not take all of them.
        """
        ...


class TaskArguments(Protocol):
    """Where the arguments of tasks are that wait: an erasure reaches them there, and not in a queue."""

    async def keep(self, user_id: str | None, event_id: str, values: JsonValue) -> Mapping[str, str]:
        """Return the reference by which the plugin's host finds ``values``. Raises: Unavailable."""
        ...


class PluginTasks:
    """Starts tasks: each is a message with a grant of its own, and whether the plugin is on, its host asks.

    ``waiting`` is None in a process that lets no task wait.
    """

    def __init__(
        self,
        registry: PluginRegistry,
        queues: TaskQueues,
        waiting: TaskArguments | None,
        grant_key: bytes,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._queues = queues
        self._waiting = waiting
        self._grant_key = grant_key
        self._clock = clock

    async def registration(self, plugin_id: str, task: str) -> PluginRegistration:
        """Return the registration of the plugin, whose PLUGIN_INFO lists ``task``.

        Raises:
            InvalidRequest: it does not.
            PluginNotFound: the plugin is not registered.
        """
        registration = await self._registry.get(plugin_id)
        if task not in cast("Sequence[str]", registration.manifest.get("tasks") or ()):
            raise InvalidRequest.of(
                "task", f"plugin {plugin_id!r} has no task {task!r}: add it to PLUGIN_INFO['tasks'] and deploy it again"
            )
        return registration

    async def start(
        self,
        plugin_id: str,
        task: str,
        arguments: JsonObject,
        user_ids: Sequence[str],
        *,
        since: datetime | None = None,
        caused_by: tuple[str, ...] = (),
        delay_seconds: int = 0,
    ) -> None:
        """Let ``task`` be called once for each user, in that user's name. Raises as ``registration`` does.

        ``since`` is when what led to it happened, None where that is now.
        """
        registration = await self.registration(plugin_id, task)
        messages = [self._message(plugin_id, task, user_id, since, caused_by) for user_id in user_ids]
        bodies = [
            dumps({**message, **await self._arguments(message, arguments, waits=delay_seconds > 0)})
            for message in messages
        ]
        await self._queues.send(registration.queue_url, bodies, delay_seconds=delay_seconds)

    async def answer(self, caller: Caller, outcome: JsonObject) -> None:
        """Call the task that waits for a transfer, ``outcome`` beside its arguments. Raises as ``start`` does."""
        await self.start(
            caller.plugin_id,
            caller.then,
            {**caller.arguments, **outcome},
            [caller.user_id],
            since=caller.since,
            caused_by=caller.caused_by,
        )

    async def _arguments(self, message: JsonObject, arguments: JsonObject, *, waits: bool) -> JsonObject:
        if self._waiting is None or not waits or not arguments:
            return {"arguments": arguments}
        reference = await self._waiting.keep(str(message["user_id"]), str(message["id"]), arguments)
        return {"arguments_ref": reference}

    def _message(
        self,
        plugin_id: str,
        task: str,
        user_id: str,
        since: datetime | None,
        caused_by: tuple[str, ...],
    ) -> JsonObject:
        task_id, now = new_id(), self._clock.now()
        grant = Grant(
            event_id=task_id,
            user_id=user_id,
            plugins=(plugin_id,),
            expires_at=now + GRANT_LIFETIME,
            since=since or now,
            caused_by=caused_by,
        )
        return {
            "task": task,
            "id": task_id,
            "time": now.isoformat(),
            "since": grant.since.isoformat(),
            "user_id": user_id,
            "grant": sign(grant, self._grant_key),
            "metadata": {"caused_by": list(caused_by)} if caused_by else {},
        }
