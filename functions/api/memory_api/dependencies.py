"""What routes are given: the services that bootstrap built, and the ids in paths."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias, cast
from uuid import UUID

from fastapi import Depends, Path, Request

from memory_server.bootstrap import Api
from memory_server.domain.errors import PluginNotFound
from memory_server.services.accounts import AccountService
from memory_server.services.erasure import Erasure as ErasureService
from memory_server.services.exports import DataExports as DataExportService
from memory_server.services.health import HealthService
from memory_server.services.keys import KeyService
from memory_server.services.memories import MemoryService
from memory_server.services.plugin_config import PluginConfigService
from memory_server.services.plugin_deliveries import PluginDeliveries as PluginDeliveryService
from memory_server.services.plugin_endpoints import PluginEndpoints as PluginEndpointService
from memory_server.services.plugin_lifecycle import PluginLifecycle
from memory_server.services.plugin_replay import PluginReplays as PluginReplayService
from memory_server.services.plugin_reports import PluginReports as PluginReportService
from memory_server.services.plugin_status import PluginStatusService
from memory_server.services.plugins import PluginService
from memory_server.services.search import SearchService

_PLUGIN_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def services(request: Request) -> Api:
    """Return the services that the app was created with."""
    return cast(Api, request.app.state.services)


Services: TypeAlias = Annotated[Api, Depends(services)]


def _memories(api: Services) -> MemoryService:
    return api.memories


def _search(api: Services) -> SearchService:
    return api.search


def _plugins(api: Services) -> PluginService:
    return api.plugins


def _plugin_lifecycle(api: Services) -> PluginLifecycle:
    return api.plugin_lifecycle


def _plugin_config(api: Services) -> PluginConfigService:
    return api.plugin_config


def _plugin_status(api: Services) -> PluginStatusService:
    return api.plugin_status


def _plugin_deliveries(api: Services) -> PluginDeliveryService:
    return api.plugin_deliveries


def _plugin_replays(api: Services) -> PluginReplayService:
    return api.plugin_replays


def _plugin_endpoints(api: Services) -> PluginEndpointService:
    return api.plugin_endpoints


def _plugin_reports(api: Services) -> PluginReportService:
    return api.plugin_reports


def _health(api: Services) -> HealthService:
    return api.health


def _erasure(api: Services) -> ErasureService:
    return api.erasure


def _accounts(api: Services) -> AccountService:
    return api.accounts


def _data_exports(api: Services) -> DataExportService:
    return api.data_exports


def _keys(api: Services) -> KeyService:
    return api.keys


def _memory_id(memory_id: Annotated[UUID, Path(examples=["019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"])]) -> str:
    return str(memory_id)


def _plugin_id(plugin_id: Annotated[str, Path(examples=["memory_analytics"])]) -> str:
    # What cannot be a plugin's id is not looked up.
    if not _PLUGIN_ID.fullmatch(plugin_id):
        raise PluginNotFound(plugin_id)
    return plugin_id


Memories: TypeAlias = Annotated[MemoryService, Depends(_memories)]
Search: TypeAlias = Annotated[SearchService, Depends(_search)]
Plugins: TypeAlias = Annotated[PluginService, Depends(_plugins)]
Lifecycle: TypeAlias = Annotated[PluginLifecycle, Depends(_plugin_lifecycle)]
PluginConfig: TypeAlias = Annotated[PluginConfigService, Depends(_plugin_config)]
PluginStatus: TypeAlias = Annotated[PluginStatusService, Depends(_plugin_status)]
PluginDeliveries: TypeAlias = Annotated[PluginDeliveryService, Depends(_plugin_deliveries)]
PluginReplays: TypeAlias = Annotated[PluginReplayService, Depends(_plugin_replays)]
PluginEndpoints: TypeAlias = Annotated[PluginEndpointService, Depends(_plugin_endpoints)]
PluginReports: TypeAlias = Annotated[PluginReportService, Depends(_plugin_reports)]
Health: TypeAlias = Annotated[HealthService, Depends(_health)]
Erasure: TypeAlias = Annotated[ErasureService, Depends(_erasure)]
Accounts: TypeAlias = Annotated[AccountService, Depends(_accounts)]
DataExports: TypeAlias = Annotated[DataExportService, Depends(_data_exports)]
Keys: TypeAlias = Annotated[KeyService, Depends(_keys)]
MemoryId: TypeAlias = Annotated[str, Depends(_memory_id)]
PluginId: TypeAlias = Annotated[str, Depends(_plugin_id)]
