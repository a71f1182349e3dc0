"""What plugins may call for what is done later: tasks of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, cast

from memory_server.domain.grants import Grant
from memory_server.services import arguments as read
from memory_server.services.gateway import GrantOperation, Operation, OwnOperation, user_of
from memory_server.services.memory_arguments import NAME
from memory_server.services.plugin_tasks import PluginTasks
from plugin_kit.json_types import JsonObject, JsonValue

MAX_ARGUMENTS_BYTES: Final = 200 * 1024
MAX_DELAY_SECONDS: Final = 900

_TASK: Final[Mapping[str, read.Reader]] = {"task": NAME, "arguments": read.json_object(MAX_ARGUMENTS_BYTES)}
_LATER: Final[Mapping[str, read.Reader]] = {**_TASK, "delay_seconds": read.whole(0, MAX_DELAY_SECONDS)}


class Users(Protocol):
    """Who there is."""

    async def user_ids(self) -> Sequence[str]:
        """Return the ids of those who have or had memories.

        Raises: Unavailable.
        """
        ...


class TaskOperations:
    """Tasks of the calling plugin."""

    def __init__(self, tasks: PluginTasks, users: Users) -> None:
        self._tasks = tasks
        self._users = users

    def table(self) -> dict[str, Operation]:
        return {
            "memory.later": GrantOperation(self.later, keeps=True),
            "memory.for_every_user": OwnOperation(("users",), self.for_every_user),
        }

    async def later(self, plugin_id: str, grant: Grant, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _LATER, required=["task"])
        await self._tasks.start(
            plugin_id,
            str(values["task"]),
            cast(JsonObject, values.get("arguments", {})),
            [user_of(grant)],
            since=grant.since,
            caused_by=grant.caused_by,
            delay_seconds=cast(int, values.get("delay_seconds", 0)),
        )
        return None

    async def for_every_user(self, plugin_id: str, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _TASK, required=["task"])
        user_ids = await self._users.user_ids()
        task_arguments = cast(JsonObject, values.get("arguments", {}))
        await self._tasks.start(plugin_id, str(values["task"]), task_arguments, user_ids)
        return len(user_ids)
