"""Endpoints while parts of the server are away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from memory_server.domain.errors import EndpointFailed, PluginFailed, Unavailable
from memory_server.domain.principals import LOCAL
from memory_server.services.plugin_endpoints import PluginEndpoints
from memory_server.services.plugin_ports import PluginFunctions, PluginRegistration, PluginRegistry
from tests.fixtures.aws import make_registration

PLUGIN = make_registration(
    "notes", manifest={"endpoints": [{"method": "GET", "path": "/a", "handler": "a", "summary": "A"}]}
)


class SetClock:
    """A time that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)


class Registry:
    """A registry that knows one plugin, or does not answer while it is ``away``."""

    def __init__(self) -> None:
        self.away = False

    async def list(self) -> list[PluginRegistration]:
        return [await self.get("notes")]

    async def get(self, _: str) -> PluginRegistration:
        if self.away:
            raise Unavailable("plugin state")
        return PLUGIN

    async def note_endpoint_error(self, _: str, user_id: str, message: str, at: datetime) -> None:
        raise Unavailable(f"plugin state, for {message} of {user_id} at {at}")


class Functions:
    """Functions that fail."""

    async def call_endpoint(self, *_: object) -> None:
        raise PluginFailed("it ended")


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def endpoints(registry: Registry) -> PluginEndpoints:
    functions = cast(PluginFunctions, Functions())
    return PluginEndpoints(cast(PluginRegistry, registry), functions, b"key", SetClock())


async def test_while_the_registry_is_away_no_plugin_has_endpoints_to_show(
    registry: Registry, endpoints: PluginEndpoints
) -> None:
    registry.away = True
    assert await endpoints.published() == []
    registry.away = False
    assert await endpoints.published() == [PLUGIN]


async def test_a_failure_that_cannot_be_noted_is_told_all_the_same(endpoints: PluginEndpoints) -> None:
    call = await endpoints.find("notes", "GET", "/a")
    with pytest.raises(EndpointFailed, match="plugin 'notes' failed"):
        await endpoints.answer(LOCAL, call, {}, None)
