"""What an operator sets for a plugin, in requests and answers."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
)
from pydantic.config import JsonDict

from memory_api.schemas.fields import Name, at_most, check_object, check_text, fault
from memory_server.services.plugin_config import ConfigChange, ConfigView
from memory_server.services.plugin_ports import LogLevel

MAX_CONFIG_BYTES: Final = 64 * 1024
MAX_SECRET_BYTES: Final = 4 * 1024
_MAX_EXPRESSION: Final = 256
_MAX_SCHEDULES: Final = 100

_SCHEMA: Final[JsonDict] = {
    "type": "object",
    "properties": {
        "channel": {"type": "string", "default": "email"},
        "keep_days": {"type": "integer", "minimum": 1, "default": 30},
    },
    "additionalProperties": False,
}
_SET: Final[JsonDict] = {
    "config": {"channel": "slack"},
    "log_level": "DEBUG",
    "schedules": {"digest": "cron(0 7 * * ? *)"},
}
_HOLDS: Final[JsonDict] = {
    **_SET,
    "config": {"channel": "slack", "keep_days": 30},
    "schema": _SCHEMA,
    "secrets": {"slack_token": True, "smtp_password": False},
}


def _check_secret(secret: SecretStr) -> SecretStr:
    text = check_text(secret.get_secret_value())
    if not text:
        raise fault("must not be empty: DELETE removes the secret")
    at_most(MAX_SECRET_BYTES)(text)
    return secret


ConfigValues: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(check_object(MAX_CONFIG_BYTES))]
Expression: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=_MAX_EXPRESSION), AfterValidator(check_text)
]
Schedules: TypeAlias = Annotated[dict[Name, Expression], Field(max_length=_MAX_SCHEDULES)]
SecretValue: TypeAlias = Annotated[SecretStr, AfterValidator(_check_secret)]


class PluginConfigIn(BaseModel):
    """What is to be set. What is left out stays as it is; what is given takes the whole place of what was set."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_SET]})

    config: ConfigValues | None = Field(None, description="Fits the plugin's JSON Schema; at most 64 KiB of JSON.")
    log_level: LogLevel | None = None
    schedules: Schedules | None = Field(
        None,
        description="EventBridge schedule expressions by the names in the plugin's PLUGIN_INFO, in UTC. A name that is"
        " left out is called as PLUGIN_INFO says.",
    )

    def change(self) -> ConfigChange:
        return ConfigChange(values=self.config, schedules=self.schedules, log_level=self.log_level)


class PluginConfigOut(BaseModel):
    """What holds for the plugin."""

    model_config = ConfigDict(json_schema_extra={"examples": [_HOLDS]})

    config: dict[str, JsonValue] = Field(description="What was set, over the defaults of the schema.")
    config_schema: dict[str, JsonValue] = Field(
        serialization_alias="schema", description="The JSON Schema (draft 2020-12) of config; {} where there is none."
    )
    log_level: LogLevel
    schedules: dict[str, str] = Field(description="When the plugin is called while it is enabled, in UTC.")
    secrets: dict[str, bool] = Field(description="The names of its secrets, and whether they have a value.")

    @classmethod
    def of(cls, view: ConfigView) -> PluginConfigOut:
        """Return the answer that shows ``view``."""
        return cls.model_validate(
            {
                "config": view.values,
                "config_schema": view.schema,
                "log_level": view.log_level,
                "schedules": view.schedules,
                "secrets": view.secrets,
            }
        )


class SecretIn(BaseModel):
    """The value of a secret."""

    # The value must not come back in an error either: pydantic's own would show it.
    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{"value": "a token"}]}
    )

    value: SecretValue = Field(description="1 byte to 4 KiB of UTF-8.")
