"""What the HTTP API serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memory_server.bootstrap import delivery, erasure, plugins, sign_in
from memory_server.bootstrap.parts import (
    cached_embedder,
    database,
    event_bus,
    plugin_registry,
    plugin_sql,
    publisher,
    server_secret,
)
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.services.erasure import Erasure
    from memory_server.services.events import Events
    from memory_server.services.health import HealthService
    from memory_server.services.keys import KeyService
    from memory_server.services.memories import MemoryService
    from memory_server.services.plugin_config import PluginConfigService
    from memory_server.services.plugin_deliveries import PluginDeliveries
    from memory_server.services.plugin_endpoints import PluginEndpoints
    from memory_server.services.plugin_lifecycle import PluginLifecycle
    from memory_server.services.plugin_replay import PluginReplays
    from memory_server.services.plugin_reports import PluginReports
    from memory_server.services.plugin_status import PluginStatusService
    from memory_server.services.plugins import PluginService
    from memory_server.services.ports import Health
    from memory_server.services.rate_limits import RateLimits
    from memory_server.services.search import SearchService
    from memory_server.services.sign_in import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What the HTTP API serves. ``warm`` makes the first request quick; ``close`` lets connections go.

    ``issuer`` and ``public_url`` are the settings' own, empty where there is none.
    """

    memories: MemoryService
    search: SearchService
    plugins: PluginService
    plugin_status: PluginStatusService
    plugin_deliveries: PluginDeliveries
    plugin_replays: PluginReplays
    plugin_lifecycle: PluginLifecycle
    plugin_config: PluginConfigService
    plugin_endpoints: PluginEndpoints
    plugin_reports: PluginReports
    health: HealthService
    sign_in: SignIn
    erasure: Erasure
    rate_limits: RateLimits
    keys: KeyService
    issuer: str
    public_url: str
    events: Events
    warm: Callable[[], Coroutine[None, None, None]]
    close: Callable[[], Coroutine[None, None, None]]


def api(settings: Settings) -> Api:
    """Return what the HTTP API serves. It asks for the server's secret: call it once, at a cold start."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.events import Events
    from memory_server.services.health import HealthService
    from memory_server.services.memories import MemoryService
    from memory_server.services.plugin_reports import PluginReports
    from memory_server.services.plugins import PluginService
    from memory_server.services.search import SearchService

    clients = Clients()
    secret = server_secret(settings, clients)
    storage = database(settings, secret)
    schemas = plugin_sql(settings, secret)
    registry = plugin_registry(settings, clients)
    publishing = publisher(settings, clients, secret)
    pending = Events(publishing, storage)
    embeddings = cached_embedder(settings, clients, pending)
    parts: dict[str, Health] = {
        "database": storage,
        "embedder": embeddings,
        "bus": event_bus(settings, clients),
        "state": registry,
    }

    async def warm() -> None:
        # Where a part does not answer yet, the requests that need it will say so.
        await asyncio.gather(*(part.ping() for part in parts.values()), return_exceptions=True)

    async def close() -> None:
        await storage.close()
        await schemas.close()

    signing_in = sign_in.sign_in(settings, clients)
    return Api(
        memories=MemoryService(storage, embeddings, pending),
        search=SearchService(storage, embeddings, pending),
        plugins=PluginService(registry),
        plugin_status=delivery.plugin_status(settings, clients, registry),
        plugin_deliveries=delivery.plugin_deliveries(settings, clients, registry, publishing),
        plugin_replays=delivery.plugin_replays(settings, clients, registry),
        plugin_lifecycle=plugins.plugin_lifecycle(settings, clients, registry, publishing),
        plugin_config=plugins.plugin_config(settings, clients, registry),
        plugin_endpoints=plugins.plugin_endpoints(clients, registry, secret),
        plugin_reports=PluginReports(registry, SystemClock()),
        health=HealthService(parts, pending),
        sign_in=signing_in,
        erasure=erasure.erasure(settings, clients, storage, embeddings, registry, schemas, signing_in),
        rate_limits=sign_in.rate_limits(settings, clients),
        keys=sign_in.keys(settings, clients, signing_in),
        issuer=settings.oidc_issuer,
        public_url=settings.public_url.rstrip("/"),
        events=pending,
        warm=warm,
        close=close,
    )
