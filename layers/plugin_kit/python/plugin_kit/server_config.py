"""The server_config of a context: what the plugin may know of the server, and what was set for the plugin."""

from __future__ import annotations

from plugin_kit import __version__
from plugin_kit.config_defaults import with_defaults
from plugin_kit.json_types import JsonObject
from plugin_kit.manifest import PluginInfo
from plugin_kit.plugin_secrets import Secrets, SecretStore


def server_config(region: str, info: PluginInfo, config: JsonObject, store: SecretStore) -> JsonObject:
    """Return it; ``config`` has what an operator set, the rest are the defaults of the config's JSON Schema."""
    return {
        "version": __version__,
        "region": region,
        "config": with_defaults(info.config, config),
        "secrets": Secrets(info.secrets, store.read),
    }
