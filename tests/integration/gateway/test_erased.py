"""What a plugin would keep for a user who was erased after what led to it, the gateway refuses."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import psycopg
import pytest

from memory_server.domain.errors import UserErased
from memory_server.domain.passwords import role_password
from memory_server.repository.database import PostgresDatabase
from plugin_kit.json_types import JsonValue
from tests.fixtures.aws import BUCKET, AwsStack, make_registration
from tests.fixtures.postgres import TestDatabase
from tests.integration.gateway.conftest import ALL_PERMISSIONS, Plugin

KEEPING: tuple[tuple[str, dict[str, JsonValue]], ...] = (
    ("memory.create", {"content": "too late"}),
    ("memory.search", {"query": "too late"}),
    ("memory.later", {"task": "go_on"}),
    ("memory.snapshot", {"then": "go_on"}),
    ("memory.load", {"key": "k", "parts": ["a"], "then": "go_on"}),
    ("database.execute", {"sql": "SELECT 1"}),
    ("cache.set", {"key": "k", "value": "too late"}),
)


@pytest.fixture
def plugin(gateway: AwsStack) -> Plugin:
    """A plugin that may do everything, and has the task go_on."""
    registration = make_registration(
        "analytics",
        permissions=(*ALL_PERMISSIONS, "files"),
        queue_url=gateway.make_queue("analytics"),
        manifest={"tasks": ["go_on"]},
    )
    asyncio.run(gateway.registry().register(registration))
    return Plugin(gateway, "analytics")


def opened(database: TestDatabase) -> PostgresDatabase:
    password = role_password(database.server_secret, "memory_app")
    return PostgresDatabase(database.host, database.port, database.name, password)


def erase(database: TestDatabase, user_id: str) -> datetime:
    async def erased() -> datetime:
        storage = opened(database)
        try:
            return await storage.erase(user_id)
        finally:
            await storage.close()

    return asyncio.run(erased())


@pytest.mark.parametrize(("operation", "arguments"), KEEPING)
def test_what_would_keep_something_of_an_erased_user_is_refused(
    database: TestDatabase, plugin: Plugin, operation: str, arguments: dict[str, JsonValue]
) -> None:
    erase(database, "ana")
    assert "the event's user was erased" in plugin.refused(operation, **arguments)


def test_what_happens_after_the_erasure_is_as_ever_and_so_is_what_others_do(
    database: TestDatabase, plugin: Plugin
) -> None:
    others = plugin.acting_for("bob")
    erase(database, "ana")
    assert plugin.acting_for("ana").ok("memory.create", content="new")
    assert others.ok("memory.create", content="bob's own")


def test_an_erasure_waits_for_what_is_being_kept_and_who_asks_then_is_told(database: TestDatabase) -> None:
    async def raced() -> None:
        storage, since = opened(database), datetime.now(UTC)
        async with storage.present("ana", since):
            erasing = asyncio.create_task(storage.erase("ana"))
            with psycopg.connect(database.admin_dsn) as connection:
                while not connection.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount:  # noqa: ASYNC110  # nobody tells of it
                    await asyncio.sleep(0.01)
            kept_at = datetime.now(UTC)
            assert not erasing.done()
        assert await erasing >= kept_at
        with pytest.raises(UserErased):
            async with storage.present("ana", kept_at):
                pass
        await storage.close()

    asyncio.run(raced())


def test_what_a_plugin_caches_is_of_the_events_user(plugin: Plugin) -> None:
    plugin.ok("cache.set", key="k", value="ana's")
    nobody = Plugin(plugin.aws, "analytics")
    nobody.grant = None
    bob = plugin.acting_for("bob")
    assert (bob.ok("cache.get", key="k"), nobody.ok("cache.get", key="k")) == (None, None)
    nobody.ok("cache.set", key="k", value="nobody's")
    bob.ok("cache.delete", key="k")
    assert (plugin.ok("cache.get", key="k"), nobody.ok("cache.get", key="k")) == ("ana's", "nobody's")


def test_the_arguments_of_a_task_that_waits_are_not_in_the_queue(gateway: AwsStack, plugin: Plugin) -> None:
    plugin.ok("memory.later", task="go_on", arguments={"part": 2}, delay_seconds=1)
    queue = asyncio.run(gateway.registry().get("analytics")).queue_url
    (message,) = gateway.clients.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", [])
    body = json.loads(message.get("Body", ""))
    assert "arguments" not in body
    stored = gateway.clients.s3.get_object(Bucket=BUCKET, Key=body["arguments_ref"]["key"])["Body"].read()
    assert json.loads(stored) == {"part": 2}
