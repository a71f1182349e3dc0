"""What looks after plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.dynamodb_plugin_configs import DynamoDBPluginConfigs
    from memory_server.adapters.scheduler_plugin_schedules import SchedulerPluginSchedules
    from memory_server.adapters.server_secret import ServerSecret
    from memory_server.services.plugin_config import PluginConfigService
    from memory_server.services.plugin_endpoints import PluginEndpoints
    from memory_server.services.plugin_lifecycle import PluginLifecycle, Subscriptions
    from memory_server.services.plugin_ports import PluginRegistry, PluginSchemas
    from memory_server.services.registration import RegistrationService


def plugin_configs(settings: Settings, clients: Clients) -> DynamoDBPluginConfigs:
    """Return what operators set for plugins."""
    from memory_server.adapters.dynamodb_plugin_configs import DynamoDBPluginConfigs

    return DynamoDBPluginConfigs(clients.dynamodb, settings.require("plugins_table"))


def plugin_schedules(settings: Settings, clients: Clients) -> SchedulerPluginSchedules:
    """Return the schedules of plugins."""
    from memory_server.adapters.scheduler_plugin_schedules import SchedulerPluginSchedules

    return SchedulerPluginSchedules(
        clients.scheduler, settings.require("schedule_group"), settings.require("schedule_role_arn")
    )


def plugin_lifecycle(
    settings: Settings, clients: Clients, registry: PluginRegistry, subscriptions: Subscriptions | None = None
) -> PluginLifecycle:
    """Return what switches plugins on and off; ``subscriptions`` is what this process must then forget."""
    from memory_server.adapters.lambda_plugin_functions import LambdaPluginFunctions
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.plugin_lifecycle import PluginLifecycle

    return PluginLifecycle(
        registry,
        LambdaPluginFunctions(clients.plugin_functions),
        plugin_configs(settings, clients),
        plugin_schedules(settings, clients),
        SystemClock(),
        subscriptions,
    )


def plugin_config(settings: Settings, clients: Clients, registry: PluginRegistry) -> PluginConfigService:
    """Return what operators set plugins by."""
    from memory_server.adapters.secrets_manager_plugin_secrets import SecretsManagerPluginSecrets
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.plugin_config import PluginConfigService

    return PluginConfigService(
        registry,
        plugin_configs(settings, clients),
        SecretsManagerPluginSecrets(clients.secrets, settings.require("server_name")),
        plugin_schedules(settings, clients),
        SystemClock(),
    )


def plugin_endpoints(clients: Clients, registry: PluginRegistry, secret: ServerSecret) -> PluginEndpoints:
    """Return what takes requests to the endpoints of plugins."""
    from memory_server.adapters.lambda_plugin_functions import LambdaPluginFunctions
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.plugin_endpoints import PluginEndpoints

    functions = LambdaPluginFunctions(clients.plugin_functions)
    return PluginEndpoints(registry, functions, secret.grant_key(), SystemClock())


def registration(
    settings: Settings, clients: Clients, registry: PluginRegistry, schemas: PluginSchemas
) -> RegistrationService:
    """Return what plugins come and go through."""
    from memory_server.adapters.lambda_plugin_functions import LambdaPluginFunctions
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.registration import RegistrationService

    return RegistrationService(
        registry,
        LambdaPluginFunctions(clients.plugin_functions),
        schemas,
        plugin_lifecycle(settings, clients, registry),
        SystemClock(),
    )
