"""What routes are given: the services that bootstrap built, and the ids in paths."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, Path, Request

from memory_api.schemas.fields import UUID_PATTERN
from memory_server.bootstrap import Api
from memory_server.domain.errors import MemoryNotFound, PluginNotFound
from memory_server.services.health import HealthService
from memory_server.services.memories import MemoryService
from memory_server.services.plugins import PluginService
from memory_server.services.search import SearchService

_PLUGIN_ID_PATTERN = "^[a-z][a-z0-9_]{0,47}$"


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


def _health(api: Services) -> HealthService:
    return api.health


def _memory_id(memory_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})]) -> str:
    # What is not a UUID is no memory's id: the answer is that there is none, whatever the text.
    if not re.fullmatch(UUID_PATTERN, memory_id):
        raise MemoryNotFound(memory_id)
    return memory_id.lower()


def _plugin_id(plugin_id: Annotated[str, Path(examples=["memory_analytics"])]) -> str:
    if not re.fullmatch(_PLUGIN_ID_PATTERN, plugin_id):
        raise PluginNotFound(plugin_id)
    return plugin_id


Memories: TypeAlias = Annotated[MemoryService, Depends(_memories)]
Search: TypeAlias = Annotated[SearchService, Depends(_search)]
Plugins: TypeAlias = Annotated[PluginService, Depends(_plugins)]
Health: TypeAlias = Annotated[HealthService, Depends(_health)]
MemoryId: TypeAlias = Annotated[str, Depends(_memory_id)]
PluginId: TypeAlias = Annotated[str, Depends(_plugin_id)]
