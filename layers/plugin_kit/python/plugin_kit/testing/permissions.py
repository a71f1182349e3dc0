"""The gateway's refusal in tests: a service that does no more than PLUGIN_INFO's permissions allow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.errors import PermissionRefused

PERMISSIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "memory_service": {
            "get": "memory:read",
            "search": "memory:read",
            "list": "memory:read",
            "create": "memory:write",
            "update": "memory:write",
            "delete": "memory:write",
        },
        "database_service": {"query": "database:read", "execute": "database:write"},
        "embedding_service": {"embed": "embedding"},
        "cache_service": {"get": "cache", "set": "cache", "delete": "cache"},
    }
)
"""The permission that each method of each service needs."""


def within_permissions(context: Context, permissions: Sequence[str]) -> Context:
    """Return ``context`` with services that refuse what ``permissions`` does not list, as the gateway would."""
    services = {
        key: _Permitted(context.get(key), needs, permissions) for key, needs in PERMISSIONS.items() if key in context
    }
    return cast(Context, {**context, **services})


class _Permitted:
    """Stands before ``service``; all that is no method of the Protocol passes through."""

    def __init__(self, service: object, needs: Mapping[str, str], permissions: Sequence[str]) -> None:
        self._service = service
        self._needs = needs
        self._permissions = permissions

    def __getattr__(self, name: str) -> object:
        method = cast("Callable[..., Awaitable[object]]", getattr(self._service, name))
        permission = self._needs.get(name)
        if permission is None or permission in self._permissions:
            return method

        async def refuse(*_arguments: object, **_named: object) -> object:
            raise PermissionRefused(f"{name} needs the permission {permission}: add it to PLUGIN_INFO['permissions']")

        return refuse
