"""A plugin in its environment: loaded, checked and initialized once, then called hook by hook on one event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Final, cast

from plugin_kit import __version__
from plugin_kit.aws import Aws
from plugin_kit.context import Context, build_context
from plugin_kit.envelope import Event
from plugin_kit.errors import HookFailed, InvalidPlugin
from plugin_kit.gateway import Gateway
from plugin_kit.json_types import JsonObject
from plugin_kit.loader import load
from plugin_kit.manifest import PluginInfo, verify
from plugin_kit.settings import HostSettings

_CLEANUP_SECONDS: Final = 1.0

_PluginFunction = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Plugin:
    module: ModuleType
    info: PluginInfo


class Host:
    """The host of one plugin. ``logger`` is the plugin's own."""

    def __init__(self, settings: HostSettings, aws: Aws, logger: logging.Logger) -> None:
        self._settings = settings
        self._aws = aws
        self._logger = logger
        self._runner = asyncio.Runner()
        self._running = False
        self._plugin: _Plugin | None = None
        self._last_context: Context | None = None

    def describe(self) -> JsonObject:
        """Return the checked PLUGIN_INFO as ``{"ok": ...}``, or the plugin's faults as ``{"error": ...}``."""
        try:
            return {"ok": self._loaded().info.to_dict()}
        except InvalidPlugin as error:
            return {"error": {"type": "InvalidPlugin", "message": str(error)}}

    def initialize(self, event: Event, seconds: float) -> None:
        """Load the plugin and call its ``initialize`` once, in the context of the environment's first event.

        Raises:
            InvalidPlugin: the plugin is refused.
            HookFailed: ``initialize`` raised; the next event tries it again.
        """
        plugin = self._loaded()
        if self._last_context is None:
            context = self._context(event)
            self._call_optional(plugin.module, "initialize", context, seconds)
            self._last_context = context

    def dispatch(self, event: Event, seconds: float) -> None:
        """Call the hook of ``event``, for at most ``seconds``.

        Raises:
            HookFailed: the hook raised, did not end in time, or is not one of the plugin's.
        """
        plugin = self._loaded()
        if event.hook not in plugin.info.hooks:
            raise HookFailed(f"the plugin has no hook {event.hook}: register it again, so that it gets no such events")
        self._last_context = self._context(event)
        hook = cast(_PluginFunction, getattr(plugin.module, event.hook))
        self._call(hook, (*event.args.values(), self._last_context), seconds)

    def close(self) -> None:
        """Call the plugin's ``cleanup`` where it was initialized, and end the event loop."""
        context, self._last_context = self._last_context, None
        if context is not None:
            try:
                self._call_optional(self._loaded().module, "cleanup", context, _CLEANUP_SECONDS)
            except HookFailed:
                self._logger.exception("cleanup failed")
        self._runner.close()

    def on_sigterm(self, signal_number: int, _frame: FrameType | None) -> None:
        """End the process, with ``cleanup`` at exit. A hook that runs ends as in a crash: its event comes again."""
        if self._running:
            os._exit(128 + signal_number)
        sys.exit(0)

    def _loaded(self) -> _Plugin:
        if self._plugin is None:
            settings = self._settings
            module = load(settings.plugin_id, Path(settings.plugin_path) if settings.plugin_path else None)
            self._plugin = _Plugin(module, verify(settings.plugin_id, module))
        return self._plugin

    def _context(self, event: Event) -> Context:
        settings = self._settings
        return build_context(
            event,
            plugin_id=settings.plugin_id,
            server_config={"version": __version__, "region": settings.aws_region},
            logger=self._logger,
            services=Gateway(self._aws, settings.gateway_alias_arn, event.grant).services(),
        )

    def _call_optional(self, module: ModuleType, name: str, context: Context, seconds: float) -> None:
        function = cast("_PluginFunction | None", getattr(module, name, None))
        if function is not None:
            self._call(function, (context,), seconds)

    def _call(self, function: _PluginFunction, arguments: tuple[object, ...], seconds: float) -> None:
        self._running = True
        try:
            self._runner.run(_guarded(function, arguments, seconds))
        finally:
            self._running = False


async def _guarded(function: _PluginFunction, arguments: tuple[object, ...], seconds: float) -> None:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await function(*arguments)
    except BaseException as error:  # a plugin's SystemExit must not end the batch
        late = isinstance(error, TimeoutError) and limit.expired()
        reason = f"it took longer than the {seconds:.1f} s that were left" if late else str(error)
        raise HookFailed(f"{type(error).__name__}: {reason}") from error
