"""The page of the context has its keys, its services' methods, and the permission of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

from plugin_kit import context
from plugin_kit.context import Context
from plugin_kit.testing.permissions import PERMISSIONS
from tests.docs.pages import CONTEXT, PLUGINS

PROTOCOLS = {
    "memory_service": context.MemoryService,
    "database_service": context.DatabaseService,
    "embedding_service": context.EmbeddingService,
    "cache_service": context.CacheService,
}
KEYS = [
    "plugin_name",
    "server_config",
    "logger",
    "memory_service",
    "database_service",
    "embedding_service",
    "cache_service",
    "user_id",
    "session_id",
    "project",
    "metadata",
]
"""Those of the specification."""


def test_the_context_has_the_keys_of_the_specification_and_the_page_lists_them() -> None:
    assert list(Context.__annotations__) == KEYS
    table = CONTEXT.read_text().split("\n\n")[2]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == KEYS
    assert [key for key in KEYS if f"`{key}`" not in PLUGINS.read_text()] == []


def test_the_page_lists_each_method_with_its_arguments_and_its_permission() -> None:
    listed = re.findall(r"^\| `(\w+)\.(\w+)\((.*?)\)` \| (.*?) \|", CONTEXT.read_text(), re.MULTILINE)
    methods = [
        (service, method, _arguments(getattr(PROTOCOLS[service], method)), _written(permissions))
        for service, needs in PERMISSIONS.items()
        for method, permissions in needs.items()
        if method != "files"
    ]
    assert sorted(listed) == sorted(methods)


def test_the_page_lists_each_method_of_files_with_its_arguments() -> None:
    listed = re.findall(r"^\| `database_service\.files\.(\w+)\((.*?)\)` \|", CONTEXT.read_text(), re.MULTILINE)
    methods = [name for name in vars(context.Files) if not name.startswith("_")]
    assert listed == [(name, _arguments(getattr(context.Files, name))) for name in methods]


def _arguments(method: Callable[..., object]) -> str:
    parameters = [
        parameter.replace(annotation=parameter.empty) for parameter in inspect.signature(method).parameters.values()
    ][1:]
    written = ["*fields" if parameter.kind is parameter.VAR_KEYWORD else str(parameter) for parameter in parameters]
    by_name = [place for place, parameter in enumerate(parameters) if parameter.kind is parameter.KEYWORD_ONLY]
    if by_name:
        written.insert(by_name[0], "*")
    return ", ".join(written)


def _written(permissions: tuple[str, ...]) -> str:
    return ", ".join(f"`{permission}`" for permission in permissions) or "none"
