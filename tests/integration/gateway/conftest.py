"""The gateway's function as plugins call it: through its handler, by their aliases, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from functions.plugin_gateway import handler as function
from memory_server.domain.events import new_id
from memory_server.domain.grants import Grant, grant_key, sign
from memory_server.repository.plugin_schemas import PostgresPluginSchemas
from plugin_kit.json_types import JsonObject, JsonValue
from tests.fixtures.aws import CACHE_TABLE, AwsStack, make_registration
from tests.fixtures.embedder import FakeEmbedder
from tests.fixtures.embedder_function import EmbedderFunction, serving
from tests.fixtures.functions import Invocation
from tests.fixtures.postgres import SERVER_SECRET, TestDatabase

ALL_PERMISSIONS = ("memory:read", "memory:write", "database:read", "database:write", "embedding", "cache")


@dataclass
class Plugin:
    """A registered plugin, and how it calls the gateway while it handles an event of ``user_id``."""

    aws: AwsStack
    plugin_id: str
    user_id: str = "ana"
    grant: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.grant = self.signed()

    def signed(self, key: bytes | None = None, **changes: object) -> str:
        grant = Grant(
            event_id=new_id(),
            user_id=self.user_id,
            plugins=(self.plugin_id,),
            expires_at=datetime.now(UTC) + timedelta(minutes=5),
            since=datetime.now(UTC),
        )
        changed = replace(grant, **changes)  # pyright: ignore[reportArgumentType]  # tests give right ones
        return sign(changed, grant_key(SERVER_SECRET) if key is None else key)

    def acting_for(self, user_id: str) -> Plugin:
        return Plugin(self.aws, self.plugin_id, user_id)

    def register(self, *permissions: str, hooks: tuple[str, ...] = ()) -> None:
        registration = make_registration(self.plugin_id, permissions=permissions, hooks=hooks)
        asyncio.run(self.aws.registry().register(registration))

    def call(self, operation: str, **arguments: JsonValue) -> JsonObject:
        """Return the whole answer of the gateway."""
        request: JsonObject = {"operation": operation, "arguments": arguments, "grant": self.grant}
        return function.handler(request, Invocation("plugin-gateway", plugin_id=self.plugin_id).context)

    def ok(self, operation: str, **arguments: JsonValue) -> JsonValue:
        """Return the value that the gateway answers."""
        answer = self.call(operation, **arguments)
        assert answer.keys() == {"ok"}, answer
        return answer["ok"]

    def refused(self, operation: str, **arguments: JsonValue) -> str:
        """Return why the gateway refuses the plugin."""
        return error_of("PermissionRefused", self.call(operation, **arguments))

    def failed(self, operation: str, **arguments: JsonValue) -> str:
        """Return why the gateway cannot do what the plugin asks."""
        return error_of("ServiceFailed", self.call(operation, **arguments))


def error_of(kind: str, answer: JsonObject) -> str:
    """Return the message of an answer that must be an error of this kind."""
    error = cast(JsonObject, answer.get("error", {}))
    assert error.get("type") == kind, answer
    return str(error["message"])


@pytest.fixture
def gateway(function_environment: None, aws: AwsStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStack]:
    """The gateway's environment; it ends with the test."""
    assert function_environment is None
    with serving(EmbedderFunction(FakeEmbedder())) as url:
        monkeypatch.setenv("EMBEDDER_FUNCTION", "embedder")
        monkeypatch.setenv("EMBEDDING_CACHE_TABLE", CACHE_TABLE)
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        yield aws
        function.environment.close()


@pytest.fixture
def plugin(gateway: AwsStack) -> Plugin:
    """A plugin with every permission, and no schema."""
    plugin = Plugin(gateway, "analytics")
    plugin.register(*ALL_PERMISSIONS)
    return plugin


@pytest.fixture
def plugins_with_schemas(gateway: AwsStack, database: TestDatabase) -> Iterator[tuple[Plugin, Plugin]]:
    """Two plugins, each with a schema of its own."""
    schemas = PostgresPluginSchemas(database.administrator, server_secret=SERVER_SECRET)
    plugins = Plugin(gateway, "gateway_one"), Plugin(gateway, "gateway_two")
    for plugin in plugins:
        plugin.register("database:read", "database:write")
        plugin.grant = None
        asyncio.run(schemas.create(plugin.plugin_id))
    yield plugins
    function.environment.close()
    for plugin in plugins:
        asyncio.run(schemas.drop(plugin.plugin_id))
