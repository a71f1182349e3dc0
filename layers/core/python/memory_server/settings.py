"""What a function is told by its environment: one frozen object, built at cold start, never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class InvalidSettings(Exception):
    """The environment lacks a variable, or holds one that cannot be right; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The names of what a function uses. AWS endpoints and credentials are boto3's own variables.

    ``server_secret_arn`` names the secret that role passwords and grants derive from. ``model_path`` is the folder of
    the exported model for a function that embeds in its own process; the others name ``embedder_function``. A plugin
    that fails ``failure_limit`` times in a row is disabled, never where it is 0. ``sign_in`` is "off" where everyone is
    the built-in user, which a server on a loopback address alone may be. Access tokens are taken where ``oidc_issuer``
    is named. ``public_url`` is where clients find the server; left empty, it is what they asked. A user may ask
    ``requests_a_minute`` times, and have ``memories_a_user`` of ``bytes_a_user`` in all, 0 for any number. A load that
    needs vectors keeps ``embedders_a_load`` busy; it goes on in the function that Lambda says this one is.
    """

    database_host: str = ""
    database_port: int = 5432
    database_name: str = "memory"
    database_admin_secret_arn: str = ""
    database_pool_size: int = 2
    server_secret_arn: str = ""
    event_bus: str = ""
    events_bucket: str = ""
    files_bucket: str = ""
    plugins_table: str = ""
    server_name: str = ""
    schedule_group: str = ""
    schedule_role_arn: str = ""
    sequences_table: str = ""
    erasures_table: str = ""
    delivery_log_table: str = ""
    relay_function: str = ""
    outbox_retention_days: int = 7
    failure_limit: int = 20
    embedding_cache_table: str = ""
    keys_table: str = ""
    requests_table: str = ""
    requests_a_minute: int = 0
    memories_a_user: int = 0
    bytes_a_user: int = 0
    sign_in: str = "required"
    oidc_issuer: str = ""
    oidc_audience: str = ""
    public_url: str = ""
    embedder_function: str = ""
    bulk_transfer_function: str = ""
    embedders_a_load: int = 1
    aws_lambda_function_name: str = ""
    model_path: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that the upper-case variables of the fields' names give.

        Raises:
            InvalidSettings: a number is not a number.
        """
        env = os.environ if environment is None else environment
        values: dict[str, str | int] = {}
        for name, default in _DEFAULTS.items():
            text = env.get(name.upper())
            if text is not None:
                values[name] = _number(name, text) if isinstance(default, int) else text
        if values.get("sign_in", "required") not in ("required", "off"):
            raise InvalidSettings(f"the environment variable SIGN_IN is {values['sign_in']!r}: write required or off")
        return cls(**values)  # pyright: ignore[reportArgumentType]  # the loop gives each field its type

    def require(self, name: str) -> str:
        """Return the text of the field ``name``.

        Raises:
            InvalidSettings: it is empty.
        """
        value = str(getattr(self, name))
        if not value:
            raise InvalidSettings(f"the environment variable {name.upper()} is not set: template.yaml sets it")
        return value


_DEFAULTS: Mapping[str, str | int] = {field.name: field.default for field in Settings.__dataclass_fields__.values()}


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidSettings(f"the environment variable {name.upper()} is {text!r}, not a whole number") from None
