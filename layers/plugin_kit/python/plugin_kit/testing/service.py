"""Plugins as the server would run them, in the process of a test: loaded, checked, initialized, called by priority."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import cast

from plugin_kit.config_defaults import with_defaults
from plugin_kit.context import Context
from plugin_kit.hooks import CATALOGUE
from plugin_kit.loader import load
from plugin_kit.manifest import PluginInfo, verify
from plugin_kit.testing.fire import make_context
from plugin_kit.testing.permissions import within_permissions
from plugin_kit.testing.settings import PluginSettings


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin of a PluginService: its checked PLUGIN_INFO, its module, and the context that its hooks get."""

    info: PluginInfo
    module: ModuleType
    context: Context

    async def call(self, name: str, *arguments: object) -> object:
        """Call the function ``name``, within the plugin's permissions; a plugin that has none returns None."""
        function = cast("Callable[..., Awaitable[object]] | None", getattr(self.module, name, None))
        if function is None:
            return None
        metadata = {**self.context["metadata"], "hook": name}
        context = within_permissions({**self.context, "metadata": metadata}, self.info)
        return await function(*arguments, context)


class PluginService:
    """The plugins of ``settings``: ``config/settings.yaml`` as a mapping, as an object, or as its path.

    The settings mean what they mean for ``make run``: the plugins that they name are loaded, or where they name none,
    those of ``folder`` that are enabled by PLUGIN_INFO. Every plugin has fakes of the services of its own, in
    ``loaded_plugins[name].context``.
    """

    def __init__(self, settings: object, *, folder: Path | str = "plugins") -> None:
        self._settings = PluginSettings.of(settings)
        self._folder = Path(folder)
        self._loaded: dict[str, LoadedPlugin] = {}

    @property
    def loaded_plugins(self) -> Mapping[str, LoadedPlugin]:
        """The plugins that are loaded, by name."""
        return MappingProxyType(self._loaded)

    async def initialize(self) -> None:
        """Load the plugins, and call ``initialize`` of each.

        Raises:
            InvalidPlugin: the server would refuse a plugin. What ``initialize`` raises rises too.
        """
        for path in self._settings.enabled_folders(self._folder):
            plugin = _load(path.resolve())
            if plugin.info.enabled or self._settings.plugins:
                await plugin.call("initialize")
                self._loaded[plugin.info.plugin_id] = plugin

    async def fire(self, hook: str, *arguments: object) -> dict[str, object]:
        """Call ``hook`` of each plugin that has it and return what they answered, by name.

        Plugins of lower priority come first, those of equal priority at once. One that fails holds nobody back.

        Raises:
            LookupError: there is no such hook.
            ExceptionGroup: what plugins raised, when all have ended.
        """
        if hook not in CATALOGUE:
            raise LookupError(f"there is no hook {hook!r}: there are {', '.join(CATALOGUE)}")
        wanting = [plugin for plugin in self._loaded.values() if hook in plugin.info.hooks]
        answers: dict[str, object] = {}
        for priority in sorted({plugin.info.priority for plugin in wanting}):
            wave = [plugin for plugin in wanting if plugin.info.priority == priority]
            found = await asyncio.gather(*(plugin.call(hook, *arguments) for plugin in wave), return_exceptions=True)
            answers |= {plugin.info.plugin_id: answer for plugin, answer in zip(wave, found, strict=True)}
        raised = {name: answer for name, answer in answers.items() if isinstance(answer, Exception)}
        if raised:
            raise ExceptionGroup(f"{hook} failed in {', '.join(raised)}", list(raised.values()))
        return answers

    async def shutdown(self) -> None:
        """Call ``cleanup`` of each plugin, and let go of all of them."""
        while self._loaded:
            _, plugin = self._loaded.popitem()
            await plugin.call("cleanup")


def _load(folder: Path) -> LoadedPlugin:
    module = load(folder.name, folder)
    info = verify(folder.name, module)
    server_config = {**make_context()["server_config"], "config": with_defaults(info.config, {})}
    logger = logging.getLogger(info.plugin_id)
    return LoadedPlugin(
        info, module, make_context(plugin_name=info.plugin_id, server_config=server_config, logger=logger)
    )
