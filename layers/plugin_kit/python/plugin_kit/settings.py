"""What the host is told by its environment: one frozen object, built at cold start, never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from plugin_kit.errors import PluginError


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """The names of what the host uses, each the value of the upper-case variable.

    ``plugin_path`` is the folder of plugin.py; where it is empty, sys.path is searched, as on Lambda.
    """

    plugin_id: str
    plugins_table: str
    deliveries_table: str
    queue_url: str
    gateway_alias_arn: str
    events_bucket: str
    plugin_path: str = ""
    aws_region: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> HostSettings:
        """Return the settings.

        Raises:
            PluginError: a variable is not set; the message names it.
        """
        env = os.environ if environment is None else environment
        values: dict[str, str] = {}
        for name, field in cls.__dataclass_fields__.items():
            value = env.get(name.upper()) or field.default
            if not isinstance(value, str):
                raise PluginError(f"the environment variable {name.upper()} is not set: infra/plugin.yaml sets it")
            values[name] = value
        return cls(**values)
