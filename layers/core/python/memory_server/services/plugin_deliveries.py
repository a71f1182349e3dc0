"""A plugin's deliveries: those that were, and one to try it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from memory_server.domain.errors import InvalidRequest, PluginFailed
from memory_server.domain.events import new_id
from memory_server.domain.principals import Principal
from memory_server.services.delivery_ports import DeliveryLog, DeliveryPage, DeliveryResult
from memory_server.services.plugin_ports import PluginFunctions, PluginRegistration, PluginRegistry
from memory_server.services.ports import Clock
from memory_server.services.publisher import Publisher
from plugin_kit.envelope import Event, encode
from plugin_kit.errors import EnvelopeError
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.samples import sample_event


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDelivery:
    """What a plugin did with a sample event. ``milliseconds`` is None and ``error`` given where it failed."""

    __test__ = False

    event_id: str
    hook: str
    outcome: Literal["delivered", "failed"]
    returned: JsonValue = None
    logs: tuple[str, ...] = ()
    milliseconds: int | None = None
    error: str | None = None


class PluginDeliveries:
    """Shows what was delivered to plugins, and delivers samples."""

    def __init__(
        self,
        registry: PluginRegistry,
        log: DeliveryLog,
        functions: PluginFunctions,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._log = log
        self._functions = functions
        self._publisher = publisher
        self._clock = clock

    async def list(
        self, plugin_id: str, *, result: DeliveryResult | None, after: str | None, limit: int
    ) -> DeliveryPage:
        """Return deliveries from new to old; ``after`` is the ``next`` of the page before.

        Raises:
            PluginNotFound: no such plugin is registered.
            Unavailable: the registry or the log does not answer.
        """
        await self._registry.get(plugin_id)
        return await self._log.list(plugin_id, result=result, after=after, limit=limit)

    async def test(
        self, plugin_id: str, principal: Principal, hook: str, overrides: JsonObject | None = None
    ) -> TestDelivery:
        """Run ``hook`` of the plugin on a sample event of ``principal``, past queue, retries and statistics.

        The hook runs for real: what it changes stays. It runs for a disabled plugin too, so that one can see whether it
        is mended.

        Raises:
            PluginNotFound: no such plugin is registered.
            InvalidRequest: the plugin has no such hook, or ``overrides`` do not fit its arguments.
            Unavailable: Lambda or the registry does not answer.
        """
        registration = await self._registry.get(plugin_id)
        event = self._sample(registration, principal, hook, overrides)
        detail = encode(self._publisher.address(event, [plugin_id]))
        try:
            fired = await self._functions.fire(registration.function_arn, detail)
        except PluginFailed as error:
            return TestDelivery(
                event_id=event.id, hook=hook, outcome="failed", error=str(error), logs=tuple(error.logs)
            )
        return TestDelivery(
            event_id=event.id,
            hook=hook,
            outcome="delivered",
            returned=fired.returned,
            logs=fired.logs,
            milliseconds=fired.milliseconds,
        )

    def _sample(
        self, registration: PluginRegistration, principal: Principal, hook: str, overrides: JsonObject | None
    ) -> Event:
        if hook not in registration.hooks:
            hooks = ", ".join(registration.hooks) or "none"
            raise InvalidRequest.of("hook", f"plugin {registration.plugin_id!r} has no such hook: it has {hooks}")
        try:
            return sample_event(
                hook, event_id=new_id(), time=self._clock.now(), user_id=principal.user_id, overrides=overrides
            )
        except EnvelopeError as error:
            raise InvalidRequest.of("args", str(error)) from error
