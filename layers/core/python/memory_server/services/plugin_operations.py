"""What plugins and their hosts may call besides the services of memories and of what is the plugin's own data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from memory_server.domain.grants import Grant
from memory_server.services import arguments as read
from memory_server.services.delivery_ports import PluginCache
from memory_server.services.gateway import ApartOperation, GrantOperation, Operation, OwnOperation
from memory_server.services.sequencing import Sequencer
from memory_server.services.switch_off import SwitchOff
from plugin_kit.json_types import JsonObject, JsonValue

MAX_KEY_BYTES: Final = 512
MAX_VALUE_BYTES: Final = 64 * 1024
MAX_TTL_SECONDS: Final = 7 * 24 * 3600
DEFAULT_TTL_SECONDS: Final = 3600

_KEY: Final[Mapping[str, read.Reader]] = {"key": read.text(MAX_KEY_BYTES)}
_ENTRY: Final[Mapping[str, read.Reader]] = {
    **_KEY,
    "value": read.json_of(MAX_VALUE_BYTES),
    "ttl_seconds": read.whole(1, MAX_TTL_SECONDS),
}
_OUTCOME: Final[Mapping[str, read.Reader]] = {"outcome": read.choice(["delivered", "failed", "dropped"])}


class CacheOperations:
    """The plugin's own part of the cache, for each user apart.

    No hook tells of it: cache_* hooks tell of the server's cache of queries.
    """

    def __init__(self, cache: PluginCache) -> None:
        self._cache = cache

    def table(self) -> dict[str, Operation]:
        return {
            "cache.get": ApartOperation(("cache",), self.get),
            "cache.set": ApartOperation(("cache",), self.set, keeps=True),
            "cache.delete": ApartOperation(("cache",), self.delete),
        }

    async def get(self, plugin_id: str, user_id: str | None, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _KEY, required=["key"])
        return await self._cache.get(plugin_id, user_id, str(values["key"]))

    async def set(self, plugin_id: str, user_id: str | None, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _ENTRY, required=["key", "value"])
        ttl_seconds = cast(int, values.get("ttl_seconds", DEFAULT_TTL_SECONDS))
        value = cast(JsonValue, values["value"])
        await self._cache.set(plugin_id, user_id, str(values["key"]), value, ttl_seconds=ttl_seconds)
        return None

    async def delete(self, plugin_id: str, user_id: str | None, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _KEY, required=["key"])
        await self._cache.delete(plugin_id, user_id, str(values["key"]))
        return None


class HostOperations:
    """What the host of a plugin tells the server: that an event is done with, and that the plugin keeps failing."""

    def __init__(self, sequencer: Sequencer, switch_off: SwitchOff) -> None:
        self._sequencer = sequencer
        self._switch_off = switch_off

    def table(self) -> dict[str, Operation]:
        return {
            "event.finished": GrantOperation(self.finished),
            "plugin.failing": OwnOperation((), self.failing),
        }

    async def finished(self, plugin_id: str, grant: Grant, arguments: JsonObject) -> JsonValue:
        read.read(arguments, _OUTCOME, required=["outcome"])
        await self._sequencer.finished(grant.event_id, plugin_id)
        return None

    async def failing(self, plugin_id: str, arguments: JsonObject) -> JsonValue:
        read.read(arguments, {})
        return {"disabled": await self._switch_off.failing(plugin_id)}
