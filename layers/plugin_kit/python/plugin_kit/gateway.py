"""The services of a context: narrow clients of the plugin's own alias of the gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Unpack, cast

from plugin_kit.aws import Aws
from plugin_kit.context import Conflict, DraftFields, Files, PatchFields, Services
from plugin_kit.errors import AnswerTooLarge, PermissionRefused, PluginError, ServiceFailed
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import Memory, SearchResult

_ERRORS: Final[Mapping[str, type[PluginError]]] = {
    "PermissionRefused": PermissionRefused,
    "AnswerTooLarge": AnswerTooLarge,
}


class Gateway:
    """Calls the gateway's alias ``alias_arn`` in the name of one event's ``grant``."""

    def __init__(self, aws: Aws, alias_arn: str, grant: str | None) -> None:
        self._aws = aws
        self._alias_arn = alias_arn
        self._grant = grant

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Return what ``operation`` answers.

        Raises:
            PermissionRefused: PLUGIN_INFO lacks the operation's permission, or the grant is not for this plugin.
            AnswerTooLarge: it is more than one answer holds.
            ServiceFailed: the gateway could not do it, or does not answer.
        """
        return await asyncio.to_thread(self.ask, operation, arguments)

    def ask(self, operation: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Return what ``operation`` answers, as ``call`` does, but wait for it."""
        request = dumps({"operation": operation, "arguments": arguments, "grant": self._grant})
        answer = self._invoke(operation, request)
        error = cast("JsonObject | None", answer.get("error"))
        if error is None:
            return answer["ok"]
        raise _ERRORS.get(str(error.get("type")), ServiceFailed)(f"{operation}: {error.get('message')}")

    def services(self, files: Files | None) -> Services:
        """Return the four services that call through this gateway; without ``files``, the plugin may have none."""
        return Services(
            memory=GatewayMemoryService(self),
            database=GatewayDatabaseService(self, files),
            embedding=GatewayEmbeddingService(self),
            cache=GatewayCacheService(self),
        )

    def _invoke(self, operation: str, request: str) -> JsonObject:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            response = self._aws.lambda_.invoke(FunctionName=self._alias_arn, Payload=request.encode())
            answer: object = json.loads(response["Payload"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise ServiceFailed(f"{operation}: the gateway does not answer: {error}") from error
        if "FunctionError" in response or not isinstance(answer, dict) or not {"ok", "error"} & answer.keys():
            raise ServiceFailed(f"{operation}: the gateway failed: its log of this request says why")
        return cast(JsonObject, answer)


class GatewayMemoryService:
    """MemoryService through the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, memory_id: str) -> Memory:
        return _memory(await self._gateway.call("memory.get", {"memory_id": memory_id}))

    async def search(self, query: str, limit: int = 10) -> list[SearchResult]:
        found = await self._gateway.call("memory.search", {"query": query, "limit": limit})
        return [SearchResult.from_dict(item) for item in cast("list[JsonObject]", found)]

    async def create(self, content: str, **fields: Unpack[DraftFields]) -> Memory:
        return _memory(await self._gateway.call("memory.create", {"content": content, **_to_json(fields)}))

    async def update(self, memory_id: str, **fields: Unpack[PatchFields]) -> Memory:
        return _memory(await self._gateway.call("memory.update", {"memory_id": memory_id, **_to_json(fields)}))

    async def delete(self, memory_id: str) -> None:
        await self._gateway.call("memory.delete", {"memory_id": memory_id})

    async def count(
        self,
        by: Sequence[str] = (),
        *,
        project: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        deleted: bool = False,
    ) -> list[JsonObject]:
        arguments = {"by": list(by), "project": project, "since": _text(since), "until": _text(until)}
        return cast("list[JsonObject]", await self._gateway.call("memory.count", {**arguments, "deleted": deleted}))

    async def list(self, project: str | None = None, limit: int = 100, *, after: Memory | None = None) -> list[Memory]:
        position = None if after is None else {"id": after.id, "created_at": _text(after.created_at)}
        found = await self._gateway.call("memory.list", {"project": project, "limit": limit, "after": position})
        return [_memory(item) for item in cast("Sequence[JsonValue]", found)]

    async def later(self, task: str, arguments: JsonObject | None = None, *, delay_seconds: int = 0) -> None:
        await self._gateway.call(
            "memory.later", {"task": task, "arguments": arguments or {}, "delay_seconds": delay_seconds}
        )

    async def for_every_user(self, task: str, arguments: JsonObject | None = None) -> int:
        users = await self._gateway.call("memory.for_every_user", {"task": task, "arguments": arguments or {}})
        return cast(int, users)

    async def snapshot(
        self,
        then: str,
        arguments: JsonObject | None = None,
        *,
        where: JsonObject | None = None,
        history: bool = False,
        embeddings: bool = False,
    ) -> str:
        options = {"where": where or {}, "history": history, "embeddings": embeddings}
        started = await self._gateway.call("memory.snapshot", {"then": then, "arguments": arguments or {}, **options})
        return str(started)

    async def load(
        self,
        key: str,
        parts: Sequence[str],
        then: str,
        arguments: JsonObject | None = None,
        *,
        conflict: Conflict = "skip",
        project: str | None = None,
        dry_run: bool = False,
    ) -> None:
        options = {"conflict": conflict, "project": project, "dry_run": dry_run}
        await self._gateway.call(
            "memory.load", {"key": key, "parts": list(parts), "then": then, "arguments": arguments or {}, **options}
        )


class GatewayDatabaseService:
    """DatabaseService through the gateway, and beside it the plugin's files."""

    def __init__(self, gateway: Gateway, files: Files | None) -> None:
        self._gateway = gateway
        self._files = files

    @property
    def files(self) -> Files:
        if self._files is None:
            raise PermissionRefused("files needs the permission files: add it to PLUGIN_INFO['permissions']")
        return self._files

    async def query(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        return await self._rows("database.query", sql, parameters)

    async def execute(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        return await self._rows("database.execute", sql, parameters)

    async def _rows(self, operation: str, sql: str, parameters: Sequence[JsonValue]) -> list[JsonObject]:
        rows = await self._gateway.call(operation, {"sql": sql, "parameters": list(parameters)})
        return cast("list[JsonObject]", rows)


class GatewayEmbeddingService:
    """EmbeddingService through the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return cast("list[list[float]]", await self._gateway.call("embedding.embed", {"texts": list(texts)}))


class GatewayCacheService:
    """CacheService through the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, key: str) -> JsonValue:
        return await self._gateway.call("cache.get", {"key": key})

    async def set(self, key: str, value: JsonValue, ttl_seconds: int = 3600) -> None:
        await self._gateway.call("cache.set", {"key": key, "value": value, "ttl_seconds": ttl_seconds})

    async def delete(self, key: str) -> None:
        await self._gateway.call("cache.delete", {"key": key})


def _memory(value: JsonValue) -> Memory:
    return Memory.from_dict(cast(JsonObject, value))


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _to_json(fields: DraftFields | PatchFields) -> dict[str, JsonValue]:
    values = cast("Mapping[str, JsonValue | datetime]", fields)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
