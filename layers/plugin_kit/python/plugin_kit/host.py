"""A plugin in its environment: loaded, checked and initialized once, then called function by function."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import Final, cast

from plugin_kit.aws import Aws
from plugin_kit.caller import Caller, PluginFunction, Ran
from plugin_kit.context import Context, build_context
from plugin_kit.envelope import Event
from plugin_kit.erasures import Erasures
from plugin_kit.errors import HookFailed, InitializeFailed, NoSuchHandler
from plugin_kit.files import S3Files
from plugin_kit.gateway import Gateway
from plugin_kit.loader import load
from plugin_kit.manifest import PluginInfo, verify
from plugin_kit.models import EndpointRequest
from plugin_kit.output import Output
from plugin_kit.plugin_secrets import SecretStore
from plugin_kit.process_state import ProcessState
from plugin_kit.records import PluginState
from plugin_kit.server_config import server_config
from plugin_kit.settings import HostSettings

_CLEANUP_SECONDS: Final = 1.0
_IMPORT_SECONDS: Final = 25.0


@dataclass(frozen=True, slots=True)
class _Plugin:
    module: ModuleType
    info: PluginInfo


class Host:
    """The host of one plugin, whose own loggers are below ``logger``."""

    def __init__(self, settings: HostSettings, aws: Aws, output: Output, logger: logging.Logger) -> None:
        self._settings = settings
        self._aws = aws
        self._output = output
        self._logger = logger
        self._secrets = SecretStore(aws, settings.plugin_secret, output.redact)
        self._caller = Caller(ProcessState(logger), output)
        self._state = PluginState()
        self.erasures = Erasures(lambda: aws.dynamodb, settings.erasures_table)
        self._plugin: _Plugin | None = None
        self._last_context: Context | None = None

    @property
    def info(self) -> PluginInfo:
        """The checked PLUGIN_INFO; the plugin is loaded where it was not yet.

        Raises:
            InvalidPlugin: the plugin is refused.
        """
        return self._loaded().info

    def configure(self, state: PluginState) -> None:
        """Let the plugin's calls have the config of ``state``, and its logger the level, where that is a new one."""
        if state.log_level != self._state.log_level and state.log_level in logging.getLevelNamesMapping():
            self._output.logger.setLevel(state.log_level)
        self._state = state

    def initialize(self, event: Event, seconds: float, *, again: bool = False) -> None:
        """Load the plugin and call its ``initialize`` once (or ``again``), in the context of ``event``.

        Raises:
            InvalidPlugin: the plugin is refused.
            InitializeFailed: ``initialize`` raised; the next event tries it again.
        """
        plugin = self._loaded(seconds)
        if again:
            self._secrets.forget()  # one that was missing may have been set since
        if self._last_context is None or again:
            context = self._context(event)
            try:
                self._call_optional(plugin.module, "initialize", context, seconds)
            except HookFailed as error:
                raise InitializeFailed(f"initialize: {error}") from error.__cause__
            self._last_context = context

    def dispatch(self, event: Event, seconds: float) -> Ran:
        """Call the hook of ``event``, for at most ``seconds``.

        Raises:
            HookFailed: the hook raised, did not end in time, or is not one of the plugin's.
        """
        if event.hook not in self.info.hooks:
            raise HookFailed(f"the plugin has no hook {event.hook}: register it again, so that it gets no such events")
        return self._call_named(event.hook, tuple(event.args.values()), event, seconds)

    def run_schedule(self, event: Event, seconds: float) -> Ran:
        """Call the function of the schedule that ``event`` names as its hook, as ``dispatch`` does."""
        if event.hook not in self.info.schedules:
            raise HookFailed(f"the plugin has no schedule {event.hook}: register it again, so that it is not called")
        return self._call_named(event.hook, (), event, seconds)

    def run_task(self, event: Event, seconds: float) -> Ran:
        """Call the function of the task that ``event`` names as its hook, as ``dispatch`` does."""
        if event.hook not in self.info.tasks:
            raise HookFailed(f"the plugin has no task {event.hook}: add it to PLUGIN_INFO['tasks'] and deploy it again")
        return self._call_named(event.hook, tuple(event.args.values()), event, seconds)

    def answer(self, handler: str, request: EndpointRequest, event: Event, seconds: float) -> Ran:
        """Call the ``handler`` of an endpoint.

        Raises:
            NoSuchHandler: no endpoint has this handler.
            HookFailed: the handler raised, or did not end in time.
        """
        if handler not in [endpoint["handler"] for endpoint in self.info.endpoints]:
            raise NoSuchHandler(f"no endpoint of the plugin has the handler {handler!r}: register it again")
        return self._call_named(handler, (request,), event, seconds)

    def clean_up(self, event: Event, seconds: float) -> None:
        """Call the plugin's ``cleanup``; the next event initializes the plugin again.

        Raises:
            HookFailed: ``cleanup`` raised, or did not end in time.
        """
        context, self._last_context = self._context(event), None
        self._call_optional(self._loaded().module, "cleanup", context, seconds)

    def close(self) -> None:
        """Call the plugin's ``cleanup`` where it was initialized, and end the event loop."""
        context, self._last_context = self._last_context, None
        if context is not None:
            try:
                self._call_optional(self._loaded().module, "cleanup", context, _CLEANUP_SECONDS)
            except HookFailed:
                self._logger.exception("cleanup failed")
        self._caller.close()

    def on_sigterm(self, signal_number: int, _frame: FrameType | None) -> None:
        """End the process, with ``cleanup`` at exit. A hook that runs ends as in a crash: its event comes again."""
        if self._caller.running:
            os._exit(128 + signal_number)
        sys.exit(0)

    def _loaded(self, seconds: float = _IMPORT_SECONDS) -> _Plugin:
        if self._plugin is None:
            settings = self._settings
            with self._caller.enclosed(seconds):
                module = load(settings.plugin_id, Path(settings.plugin_path) if settings.plugin_path else None)
            self._plugin = _Plugin(module, verify(settings.plugin_id, module))
        return self._plugin

    def _call_named(self, name: str, arguments: tuple[object, ...], event: Event, seconds: float) -> Ran:
        self._last_context = self._context(event)
        function = cast(PluginFunction, getattr(self._loaded().module, name))
        return self._caller.call(function, (*arguments, self._last_context), seconds)

    def _call_optional(self, module: ModuleType, name: str, context: Context, seconds: float) -> None:
        function = cast("PluginFunction | None", getattr(module, name, None))
        if function is not None:
            self._caller.call(function, (context,), seconds)

    def _context(self, event: Event) -> Context:
        settings, info = self._settings, self.info
        files = None
        if "files" in info.permissions:
            gone = partial(self.erasures.gone, event.user_id, event.since, now=True)
            files = S3Files(self._aws, settings.files_bucket, settings.plugin_id, event.user_id, gone)
        return build_context(
            event,
            plugin_id=settings.plugin_id,
            server_config=server_config(settings.aws_region, info, self._state.config, self._secrets),
            logger=self._output.logger,
            services=Gateway(self._aws, settings.gateway_alias_arn, event.grant).services(files),
        )
