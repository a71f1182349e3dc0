"""When a plugin's functions are called: its manifest's schedules, and what the operator put in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

from memory_server.domain.errors import Fault
from memory_server.services.plugin_ports import PluginConfig, PluginRegistration
from plugin_kit.schedule_checks import schedule_faults


def declared(registration: PluginRegistration) -> Mapping[str, str]:
    """Return the names and expressions of PLUGIN_INFO["schedules"]."""
    return cast("Mapping[str, str]", registration.manifest.get("schedules") or {})


def effective(registration: PluginRegistration, config: PluginConfig) -> dict[str, str]:
    """Return the expressions that hold; what was set for a name that the plugin no longer has counts for nothing."""
    return {name: config.schedules.get(name, expression) for name, expression in declared(registration).items()}


def to_come(expressions: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return the expressions without the moments that have passed, which would never be met."""
    return {name: expression for name, expression in expressions.items() if not _has_passed(expression, now)}


def faults(registration: PluginRegistration, expressions: Mapping[str, str], now: datetime) -> Iterator[Fault]:
    """Yield what is wrong with the expressions that an operator gives."""
    names = declared(registration)
    for name, expression in expressions.items():
        path = ("schedules", name)
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            yield Fault(path, f"the plugin has no schedule of this name: {known}")
            continue
        wrong = list(schedule_faults(expression))
        yield from (Fault(path, message) for message in wrong)
        if not wrong and _has_passed(expression, now):
            yield Fault(path, "must be a moment that is still to come")


def _has_passed(expression: str, now: datetime) -> bool:
    """Return whether ``expression`` is one moment, and that has passed."""
    if not expression.startswith("at("):
        return False
    return datetime.fromisoformat(expression[3:-1]).replace(tzinfo=UTC) <= now
