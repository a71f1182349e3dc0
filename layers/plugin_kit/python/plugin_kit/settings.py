"""What the host is told by its environment: one frozen object, built at cold start, never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields

from plugin_kit.errors import PluginError


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """The names of what the host uses, each the value of the upper-case variable.

    ``plugin_path`` is the folder of plugin.py; where it is empty, sys.path is searched, as on Lambda. Deliveries are
    logged where ``delivery_log_table`` is given, and ``plugin_secret`` is the id of the secret that holds the plugin's
    secrets. A message that fails at its ``max_receives``-th receive does not come again. After ``failure_limit``
    failures in a row the server is asked to switch the plugin off.
    """

    plugin_id: str
    plugins_table: str
    deliveries_table: str
    queue_url: str
    gateway_alias_arn: str
    events_bucket: str
    plugin_path: str = ""
    aws_region: str = ""
    delivery_log_table: str = ""
    files_bucket: str = ""
    erasures_table: str = ""
    plugin_secret: str = ""
    max_receives: int = 5
    failure_limit: int = 20

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> HostSettings:
        """Return the settings.

        Raises:
            PluginError: a variable is not set, or is no number where it must be one; the message names it.
        """
        env = os.environ if environment is None else environment
        given = {field.name: _value(field, env.get(field.name.upper(), "")) for field in fields(cls)}
        return cls(**given)  # pyright: ignore[reportArgumentType]  # each field's default says its type


def _value(field: Field[str | int], text: str) -> str | int:
    if text:
        try:
            return int(text) if isinstance(field.default, int) else text
        except ValueError:
            raise PluginError(f"the environment variable {field.name.upper()} is {text!r}: set a number") from None
    if isinstance(field.default, str | int):
        return field.default
    raise PluginError(f"the environment variable {field.name.upper()} is not set: infra/plugin.yaml sets it")
