"""What plugins may call to move memories in bulk: the work is begun, and a task of theirs tells of its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast, get_args

from memory_server.domain.errors import InvalidRequest
from memory_server.domain.events import new_id
from memory_server.domain.grants import Grant
from memory_server.services import arguments as read
from memory_server.services.gateway import GrantOperation, Operation, user_of
from memory_server.services.memory_arguments import MAX_NAME_BYTES, NAME, read_filter
from memory_server.services.plugin_tasks import PluginTasks
from memory_server.services.transfer_ports import TransferFunction
from memory_server.services.transfer_requests import Caller, LoadRequest, SnapshotRequest
from plugin_kit.context import Conflict
from plugin_kit.file_names import key_of
from plugin_kit.json_types import JsonObject, JsonValue

# The request must fit an asynchronous invocation of Lambda (1 MB).
MAX_ARGUMENTS_BYTES: Final = 64 * 1024
MAX_PARTS: Final = 2_000
MAX_WHERE_BYTES: Final = 64 * 1024

_TASK: Final[Mapping[str, read.Reader]] = {"then": NAME, "arguments": read.json_object(MAX_ARGUMENTS_BYTES)}
_SNAPSHOT: Final[Mapping[str, read.Reader]] = {
    **_TASK,
    "where": read.json_object(MAX_WHERE_BYTES),
    "history": read.boolean,
    "embeddings": read.boolean,
}
_LOAD: Final[Mapping[str, read.Reader]] = {
    **_TASK,
    "key": read.text(MAX_NAME_BYTES),
    "parts": read.many(NAME, most=MAX_PARTS),
    "conflict": read.choice(get_args(Conflict)),
    "project": read.optional(NAME),
    "dry_run": read.boolean,
}


class TransferOperations:
    """Bulk transfers of the memories of the grant's user."""

    def __init__(self, function: TransferFunction, tasks: PluginTasks) -> None:
        self._function = function
        self._tasks = tasks

    def table(self) -> dict[str, Operation]:
        return {
            "memory.snapshot": GrantOperation(self.snapshot, ("memory:read", "files"), keeps=True),
            "memory.load": GrantOperation(self.load, ("memory:write", "files"), keeps=True),
        }

    async def snapshot(self, plugin_id: str, grant: Grant, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _SNAPSHOT, required=["then"])
        caller = await self._caller(plugin_id, grant, values)
        where = cast(JsonObject, values.pop("where", {}))
        read_filter(where)
        request = SnapshotRequest(caller=caller, transfer_id=new_id(), where=where, **values)  # pyright: ignore[reportArgumentType]  # the readers give each field its type
        await self._function.begin(request)
        return request.transfer_id

    async def load(self, plugin_id: str, grant: Grant, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _LOAD, required=["key", "parts", "then"])
        caller = await self._caller(plugin_id, grant, values)
        request = LoadRequest(caller=caller, **values)  # pyright: ignore[reportArgumentType]  # the readers give each field its type
        for part in request.parts:
            try:
                key_of(plugin_id, grant.user_id, part)
            except ValueError as error:
                raise InvalidRequest.of("parts", str(error)) from error
        await self._function.begin(request)
        return None

    async def _caller(self, plugin_id: str, grant: Grant, values: dict[str, object]) -> Caller:
        """Take what says who is to be told out of ``values``."""
        then = str(values.pop("then"))
        await self._tasks.registration(plugin_id, then)
        return Caller(
            plugin_id=plugin_id,
            user_id=user_of(grant),
            since=grant.since,
            caused_by=grant.caused_by,
            then=then,
            arguments=cast(JsonObject, values.pop("arguments", {})),
        )
