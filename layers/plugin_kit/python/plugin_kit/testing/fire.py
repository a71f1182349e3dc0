"""A context for tests, and ``fire``, ``fire_task`` and ``fire_endpoint``, which call a plugin as the host would."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import cast

from plugin_kit import __version__
from plugin_kit.context import Context
from plugin_kit.endpoints import match, response_of
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.manifest import PluginInfo, verify
from plugin_kit.models import EndpointRequest, EndpointResponse
from plugin_kit.testing.fake_memories import FakeMemoryService
from plugin_kit.testing.fakes import FakeCacheService, FakeDatabaseService, FakeEmbeddingService
from plugin_kit.testing.permissions import within_permissions


def make_context(**overrides: object) -> Context:
    """Return a context with the fakes as services; ``overrides`` replace keys of it.

    Raises:
        TypeError: a context has no such key.
    """
    context: Context = {
        "plugin_name": "my_plugin",
        "server_config": {"version": __version__, "region": "us-east-1", "config": {}, "secrets": {}},
        "logger": logging.getLogger("my_plugin"),
        "memory_service": FakeMemoryService(),
        "database_service": FakeDatabaseService(),
        "embedding_service": FakeEmbeddingService(),
        "cache_service": FakeCacheService(),
        "user_id": "local",
        "session_id": None,
        "project": None,
        "metadata": {
            "event_id": "01890a5d-ac96-774b-bcce-b302099a8057",
            "occurred_at": datetime(2026, 11, 22, 12, tzinfo=UTC).isoformat(),
        },
    }
    for key in overrides:
        if key not in context:
            raise TypeError(f"a context has no key {key!r}: it has {', '.join(context)}")
    made = cast(Context, {**context, **overrides})
    memories, database = made["memory_service"], made["database_service"]
    if isinstance(memories, FakeMemoryService) and isinstance(database, FakeDatabaseService):
        memories.files = database.files
    return made


async def fire(plugin: ModuleType, hook: str, *arguments: object, context: Context | None = None) -> object:
    """Verify ``plugin``, call ``hook`` with ``arguments`` and ``context`` (a made one if None), and return its answer.

    The services of the context refuse what the plugin's permissions do not allow, as the server would.

    Raises:
        InvalidPlugin: the host would refuse the plugin.
        LookupError: the plugin does not list the hook, so the host would never call it.
    """
    context = context or make_context()
    info = verify(context["plugin_name"], plugin)
    if hook not in info.hooks:
        raise LookupError(f"the plugin has no hook {hook!r}: add it to PLUGIN_INFO['hooks']")
    function = cast("Callable[..., Awaitable[object]]", getattr(plugin, hook))
    return await function(*arguments, _context_of(info, context, hook))


async def fire_task(
    plugin: ModuleType, task: str, arguments: JsonObject | None = None, context: Context | None = None
) -> object:
    """Verify ``plugin``, call its ``task`` with ``arguments`` as ``fire`` calls a hook, and return its answer.

    Raises:
        InvalidPlugin: the host would refuse the plugin.
        LookupError: the plugin does not list the task.
        TypeError: the arguments are no JSON, so they could not be sent.
    """
    context = context or make_context()
    info = verify(context["plugin_name"], plugin)
    if task not in info.tasks:
        raise LookupError(f"the plugin has no task {task!r}: add it to PLUGIN_INFO['tasks']")
    function = cast("Callable[..., Awaitable[object]]", getattr(plugin, task))
    return await function(json.loads(dumps(arguments or {})), _context_of(info, context, task))


async def fire_endpoint(
    plugin: ModuleType,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: JsonValue = None,
    context: Context | None = None,
) -> EndpointResponse:
    """Verify ``plugin``, call the handler of its endpoint for ``method`` and ``path``, and return the answer checked.

    Raises:
        InvalidPlugin: the host would refuse the plugin.
        LookupError: no endpoint of the plugin answers ``method`` and ``path``.
        HookFailed: the host would refuse the answer.
    """
    context = context or make_context()
    info = verify(context["plugin_name"], plugin)
    handler, path_params = _find(info, method, path)
    request = EndpointRequest(method=method, path=path, path_params=path_params, query=query or {}, body=body)
    function = cast("Callable[..., Awaitable[object]]", getattr(plugin, handler))
    return response_of(await function(request, _context_of(info, context, handler)))


def _context_of(info: PluginInfo, context: Context, name: str) -> Context:
    """Return ``context`` as the plugin's function ``name`` gets it."""
    metadata = {**context["metadata"], "hook": name}
    return within_permissions({**context, "metadata": metadata}, info)


def _find(info: PluginInfo, method: str, path: str) -> tuple[str, dict[str, str]]:
    for endpoint in info.endpoints:
        path_params = match(str(endpoint["path"]), path)
        if endpoint["method"] == method and path_params is not None:
            return str(endpoint["handler"]), path_params
    raise LookupError(f"the plugin has no endpoint {method} {path}: add it to PLUGIN_INFO['endpoints']")
