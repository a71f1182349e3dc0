"""The gateway's refusal in tests: a service that does no more than PLUGIN_INFO allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, NoReturn, cast

from plugin_kit.context import Context
from plugin_kit.errors import PermissionRefused, ServiceFailed
from plugin_kit.manifest import PluginInfo

PERMISSIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "memory_service": {
            "get": ("memory:read",),
            "search": ("memory:read",),
            "list": ("memory:read",),
            "count": ("memory:read",),
            "snapshot": ("memory:read", "files"),
            "create": ("memory:write",),
            "update": ("memory:write",),
            "delete": ("memory:write",),
            "load": ("memory:write", "files"),
            "later": (),
            "for_every_user": ("users",),
        },
        "database_service": {"query": ("database:read",), "execute": ("database:write",), "files": ("files",)},
        "embedding_service": {"embed": ("embedding",)},
        "cache_service": {"get": ("cache",), "set": ("cache",), "delete": ("cache",)},
    }
)
"""The permissions that each method of each service needs, and the plugin's files."""

_STARTS_TASK: Final = frozenset({"later", "for_every_user", "snapshot", "load"})


def within_permissions(context: Context, info: PluginInfo) -> Context:
    """Return ``context`` with services that refuse what ``info`` does not allow, as the gateway would."""
    services = {key: _Permitted(context.get(key), needs, info) for key, needs in PERMISSIONS.items() if key in context}
    return cast(Context, {**context, **services})


class _Permitted:
    """Stands before ``service``; all that the Protocol does not name passes through."""

    def __init__(self, service: object, needs: Mapping[str, tuple[str, ...]], info: PluginInfo) -> None:
        self._service = service
        self._needs = needs
        self._info = info

    def __getattr__(self, name: str) -> object:
        for permission in self._needs.get(name, ()):
            if permission not in self._info.permissions:
                return _refused(name, permission)
        found: object = getattr(self._service, name)
        return self._with_known_task(name, cast(_Method, found)) if name in _STARTS_TASK & self._needs.keys() else found

    def _with_known_task(self, name: str, method: _Method) -> _Method:
        async def start(*arguments: object, **named: object) -> object:
            task = named.get("task", named.get("then", arguments[2 if name == "load" else 0] if arguments else None))
            if task not in self._info.tasks:
                raise ServiceFailed(f"{name}: the plugin has no task {task!r}: add it to PLUGIN_INFO['tasks']")
            return await method(*arguments, **named)

        return start


_Method = Callable[..., Awaitable[object]]


def _refused(name: str, permission: str) -> object:
    """Return a method that raises PermissionRefused; where ``name`` is no method but the files, raise it now."""

    def refuse(*_arguments: object, **_named: object) -> NoReturn:
        raise PermissionRefused(f"{name} needs the permission {permission}: add it to PLUGIN_INFO['permissions']")

    return refuse() if name == "files" else refuse
