"""The function of bulk transfers as the gateway invokes it, on real PostgreSQL and S3 under moto."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest

from functions.bulk_transfer import handler as function
from memory_server.domain.memories import MemoryDraft, MemoryPatch
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.domain.queries import MemoryFilter
from memory_server.repository.database import PostgresDatabase
from memory_server.services.transfer_requests import Caller, LoadRequest, SnapshotRequest, to_json
from plugin_kit.file_names import key_of
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import Memory
from tests.fixtures.aws import BUCKET, ERASURES_TABLE, AwsStack, make_registration
from tests.fixtures.embedder import FakeEmbedder
from tests.fixtures.embedder_function import EmbedderFunction, serving
from tests.fixtures.functions import Invocation
from tests.fixtures.postgres import TestDatabase

PLUGIN = "backups"


@dataclass
class Transfers:
    """The function, the plugin's queue and its files."""

    aws: AwsStack
    queue_url: str
    database: TestDatabase
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_message: dict[str, Any] = field(default_factory=dict[str, Any])
    going_on: list[JsonObject] = field(default_factory=list[JsonObject])

    def snapshot(self, user_id: str = "ana", **options: object) -> dict[str, Any]:
        """Take a snapshot and return the manifest that the plugin's task gets."""
        caller = self._caller(user_id)
        request = SnapshotRequest(**{"caller": caller, "transfer_id": "t1", "where": {}, **options})  # pyright: ignore[reportArgumentType]  # tests give right ones
        return self.run(to_json(request), user_id)["snapshot"]

    def load(self, *parts: str, user_id: str = "ana", key: str = "k1", **options: object) -> dict[str, Any]:
        """Load and return the outcome that the plugin's task gets."""
        return self.run(self.load_request(*parts, user_id=user_id, key=key, **options), user_id)["load"]

    def load_request(self, *parts: str, user_id: str = "ana", key: str = "k1", **options: object) -> JsonObject:
        """Return what the function is invoked with for a load."""
        request = LoadRequest(caller=self._caller(user_id), key=key, parts=parts, **options)  # pyright: ignore[reportArgumentType]  # tests give right ones
        return json.loads(dumps(to_json(request)))

    def invoke(self, request: JsonObject, *, milliseconds: int = 15 * 60 * 1000) -> None:
        """Invoke the function, which ends after so many milliseconds."""
        function.handler(json.loads(dumps(request)), Invocation("bulk", milliseconds=milliseconds).context)

    def run(self, request: JsonObject, user_id: str) -> dict[str, Any]:
        """Return the arguments of the task that the transfer starts in its user's name."""
        self.invoke(request)
        return self.told(user_id)

    def told(self, user_id: str = "ana") -> dict[str, Any]:
        """Return the arguments of the one task that was started, in its user's name."""
        (message,) = self.aws.clients.sqs.receive_message(QueueUrl=self.queue_url).get("Messages", [])
        receipt = message.get("ReceiptHandle", "")
        self.aws.clients.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=receipt)
        body = self.last_message = json.loads(message.get("Body", ""))
        assert (body["task"], body["arguments"].pop("given"), body["metadata"]) == ("done", 1, {"caused_by": ["first"]})
        assert body["user_id"] == user_id
        return body["arguments"]

    def write(self, name: str, *lines: JsonValue | bytes, user_id: str = "ana") -> str:
        """Write a part, each line JSON or what is given as bytes, and return its name."""
        data = b"".join((line if isinstance(line, bytes) else dumps(line).encode()) + b"\n" for line in lines)
        self.aws.clients.s3.put_object(Bucket=BUCKET, Key=key_of(PLUGIN, user_id, name), Body=data)
        return name

    def lines(self, manifest: dict[str, Any], kind: str = "memory", *, user_id: str = "ana") -> list[Any]:
        """Return the lines of the parts of a kind, which are as the manifest says."""
        found: list[Any] = []
        whole = hashlib.sha256()
        for part in manifest["parts"]:
            key = key_of(PLUGIN, user_id, part["name"])
            data = self.aws.clients.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (part["bytes"], part["sha256"])
            whole.update(data)
            lines = [json.loads(line) for line in data.splitlines()]
            assert len(lines) == part["rows"]
            found += lines if part["kind"] == kind else []
        assert whole.hexdigest() == manifest["sha256"]
        return found

    def store(self, *drafts: MemoryDraft, user_id: str = "ana") -> list[Memory]:
        """Store memories as the API does."""
        return asyncio.run(self._store(drafts, user_id))

    async def _store(self, drafts: Sequence[MemoryDraft], user_id: str) -> list[Memory]:
        vectors = dict(enumerate(await self.embedder.embed([draft.content for draft in drafts])))
        async with self._opened() as database, database.transaction(Principal(user_id)) as unit:
            results = await unit.memories.add(drafts, vectors, self.embedder.model_id)
        return [result.memory for result in results]

    def change(self, memory_id: str, patch: MemoryPatch, *, user_id: str = "ana") -> Memory:
        async def changed() -> Memory:
            async with self._opened() as database, database.transaction(Principal(user_id)) as unit:
                return await unit.memories.update(memory_id, patch, vector=None, model_id="", expected_version=None)

        return asyncio.run(changed())

    def delete(self, memory_id: str, *, user_id: str = "ana") -> None:
        async def deleted() -> None:
            async with self._opened() as database, database.transaction(Principal(user_id)) as unit:
                await unit.memories.delete(memory_id)

        asyncio.run(deleted())

    def memories(self, user_id: str = "ana") -> dict[str, Memory]:
        """Return the living memories by id."""

        async def listed() -> list[Memory]:
            async with self._opened() as database, database.transaction(Principal(user_id)) as unit:
                return list((await unit.memories.list(MemoryFilter(), after=None, limit=1000)).memories)

        return {memory.id: memory for memory in asyncio.run(listed())}

    def rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what the administrator sees."""
        with psycopg.connect(self.database.admin_dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[PostgresDatabase]:
        password = role_password(self.database.server_secret, "memory_app")
        opened = PostgresDatabase(self.database.host, self.database.port, self.database.name, password)
        yield opened
        await opened.close()

    def _caller(self, user_id: str) -> Caller:
        return Caller(
            plugin_id=PLUGIN,
            user_id=user_id,
            since=self.since,
            caused_by=("first",),
            then="done",
            arguments={"given": 1},
        )


def numbers(outcome: dict[str, Any]) -> tuple[int, ...]:
    assert outcome["error"] is None, outcome
    return tuple(outcome[name] for name in ("created", "updated", "skipped", "unchanged", "versions"))


def everything(transfers: Transfers) -> list[Any]:
    return [
        transfers.rows("SELECT to_jsonb(m) FROM memories AS m ORDER BY id"),
        transfers.rows("SELECT to_jsonb(v) FROM memory_versions AS v ORDER BY id, version"),
    ]


@pytest.fixture
def transfers(
    function_environment: None, aws: AwsStack, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Transfers]:
    assert function_environment is None
    made = Transfers(aws, aws.make_queue(PLUGIN), database)
    registration = make_registration(PLUGIN, queue_url=made.queue_url, manifest={"tasks": ["done"]})
    asyncio.run(aws.registry().register(registration))

    def invoked(payload: bytes) -> bytes:
        made.going_on.append(json.loads(payload))
        return b""

    with serving(EmbedderFunction(made.embedder), {"bulk": invoked}) as url:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "bulk:plugin-bulk")
        monkeypatch.setenv("EMBEDDER_FUNCTION", "embedder")
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        monkeypatch.setenv("FILES_BUCKET", BUCKET)
        monkeypatch.setenv("ERASURES_TABLE", ERASURES_TABLE)
        yield made
        function.environment.close()
