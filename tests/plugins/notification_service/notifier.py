"""The plugin as its users, its events and its schedule see it."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass, field, replace
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointResponse, Memory
from plugin_kit.testing import fire, fire_endpoint, make_context
from plugins.notification_service import plugin
from tests.fixtures.plugin_database import PostgresDatabaseService
from tests.plugins.notification_service.receivers import HttpReceiver, SmtpReceiver

SECRET: Final = "whsec_" + base64.b64encode(bytes(range(32))).decode()
MEMORY: Final = Memory(
    id="m-1", content="The cat sleeps.", memory_type="decision", project="home", tags=("cat", "pet"), importance=0.8
)
_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Notifier:
    database: PostgresDatabaseService
    user_id: str = "ada"
    config: JsonObject = field(
        default_factory=lambda: {"allow_private_networks": ["127.0.0.0/8"], "retention_days": 30}
    )
    secrets: JsonObject = field(default_factory=lambda: {"encryption_key": base64.b64encode(bytes(32)).decode()})

    def of(self, user_id: str) -> Notifier:
        """Return the same plugin for another user."""
        return replace(self, user_id=user_id)

    def context(self, event_id: str | None = None, **metadata: JsonValue) -> Context:
        return make_context(
            plugin_name="notification_service",
            database_service=self.database,
            user_id=self.user_id,
            project="home",
            server_config={"config": self.config, "secrets": self.secrets},
            metadata={
                "event_id": event_id or f"event-{next(_NUMBERS)}",
                "occurred_at": "2026-11-25T12:00:00+00:00",
                **metadata,
            },
        )

    async def initialize(self) -> None:
        await plugin.initialize(self.context())

    async def ask(self, method: str, path: str, body: JsonValue = None, **query: str) -> EndpointResponse:
        return await fire_endpoint(plugin, method, path, body=body, query=query, context=self.context())

    async def got(self, method: str, path: str, body: JsonValue = None, **query: str) -> JsonObject:
        """Return the body of an answer, which must tell of success."""
        answer = await self.ask(method, path, body, **query)
        assert answer.status < 300, answer.body
        return cast(JsonObject, answer.body)

    async def channel(self, kind: str, settings: JsonObject, **more: JsonValue) -> str:
        name = f"channel {next(_NUMBERS)}"
        made = await self.got("POST", "/channels", {"name": name, "kind": kind, "settings": settings, **more})
        return str(made["id"])

    async def webhook(self, receiver: HttpReceiver, **more: JsonValue) -> str:
        return await self.channel("webhook", {"url": f"{receiver.url}/hook?a=1", "secret": SECRET}, **more)

    async def email(self, server: SmtpReceiver, **more: JsonValue) -> str:
        settings: JsonObject = {
            "host": server.host,
            "port": server.port,
            "security": server.security,
            "from": "memory@example.org",
            "to": ["ada@example.org"],
            **more,
        }
        return await self.channel("email", settings)

    async def rule(self, channel_id: str, *hooks: str, **settings: JsonValue) -> str:
        body: JsonObject = {"channel_id": channel_id, "hooks": list(hooks or ("memory_created",)), **settings}
        return str((await self.got("POST", "/rules", body))["id"])

    async def created(self, memory: Memory = MEMORY, event_id: str | None = None, **metadata: JsonValue) -> None:
        await fire(plugin, "memory_created", memory, context=self.context(event_id, **metadata))

    async def tick(self) -> None:
        """Let the schedule's time come."""
        await plugin.send_due(self.context())

    async def pass_time(self, seconds: float) -> None:
        """Let everything that is there have happened ``seconds`` earlier, and the schedule's time come."""
        await self.database.execute(
            "UPDATE notifications SET due_at = due_at - %s::interval, attempted_at = attempted_at - %s::interval, "
            "created_at = created_at - %s::interval",
            [f"{seconds} s"] * 3,
        )
        await self.database.execute(
            "UPDATE channels SET held_until = held_until - %s::interval, leased_until = leased_until - %s::interval",
            [f"{seconds} s"] * 2,
        )
        await self.tick()

    async def log(self, **query: str) -> list[JsonObject]:
        return cast("list[JsonObject]", (await self.got("GET", "/notifications", **query))["notifications"])
