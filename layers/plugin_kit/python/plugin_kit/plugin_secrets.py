"""The secrets of a plugin in its context: read when a value is first asked for, and never shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Final, cast

from plugin_kit.aws import Aws
from plugin_kit.errors import ServiceFailed
from plugin_kit.redaction import Redaction

_KEPT_SECONDS: Final = 60.0
_SHOWN: Final = "[secret]"


class SecretStore:
    """The values of a plugin's secrets by name, all in one secret of Secrets Manager; a change is seen in a minute."""

    def __init__(self, aws: Aws, secret_id: str, redact: Redaction) -> None:
        self._aws = aws
        self._secret_id = secret_id
        self._redact = redact
        self._values: dict[str, str] = {}
        self._kept_until = 0.0

    def read(self, name: str) -> str | None:
        """Return the value of ``name``, None where none was set.

        Raises:
            ServiceFailed: Secrets Manager does not answer, or the plugin was deployed without a secret.
        """
        if time.monotonic() >= self._kept_until:
            self._values = self._fetch()
            self._redact.hide(self._values.values())
            self._kept_until = time.monotonic() + _KEPT_SECONDS
        return self._values.get(name)

    def forget(self) -> None:
        """Read the values again when one is next asked for."""
        self._kept_until = 0.0

    def _fetch(self) -> dict[str, str]:
        from botocore.exceptions import BotoCoreError, ClientError

        if not self._secret_id:
            raise ServiceFailed("the plugin was deployed without a place for its secrets: deploy it again")
        try:
            answer = self._aws.secrets_manager.get_secret_value(SecretId=self._secret_id, VersionStage="AWSCURRENT")
        except (BotoCoreError, ClientError) as error:
            raise ServiceFailed(f"the plugin's secrets could not be read: {error}") from error
        return cast("dict[str, str]", json.loads(answer.get("SecretString") or "{}"))


class Secrets(dict[str, str]):
    """The secrets that PLUGIN_INFO names: ``secrets[name]`` is the value; all else, JSON too, shows the names alone."""

    def __init__(self, names: Sequence[str], read: Callable[[str], str | None]) -> None:
        super().__init__(dict.fromkeys(names, _SHOWN))
        self._read = read

    def __getitem__(self, name: str) -> str:
        if name not in self:
            raise KeyError(f"{name}: add it to PLUGIN_INFO['secrets']")
        value = self._read(name)
        if value is None:
            raise KeyError(f"{name}: the secret has no value yet: set it with PUT /plugins/<id>/secrets")
        return value

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return the value of ``name``, ``default`` where none was set."""
        try:
            return self[name]
        except KeyError:
            return default

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"
