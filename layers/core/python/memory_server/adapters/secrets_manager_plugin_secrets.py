"""The secrets of plugins on AWS Secrets Manager: one secret a plugin, a JSON object of names and values."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Final, cast

from memory_server.adapters.aws import call
from memory_server.domain.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_COMPONENT: Final = "store of secrets"
_CURRENT: Final = "AWSCURRENT"
_PENDING: Final = "AWSPENDING"
_ATTEMPTS: Final = 8


class SecretsManagerPluginSecrets:
    """PluginSecrets in ``<server>/plugin/<id>``, which the plugin's stack makes and the plugin's role may read.

    A change is merged into the version that was read, and made current only if that one still is: of two changes at
    once neither is lost. The version before stays readable as AWSPREVIOUS until the next change.
    """

    def __init__(self, client: SecretsManagerClient, server_name: str) -> None:
        self._client = client
        self._server_name = server_name

    async def names(self, plugin_id: str) -> frozenset[str]:
        values, _ = await call(_COMPONENT, self._read, plugin_id)
        return frozenset(values)

    async def put(self, plugin_id: str, name: str, value: str) -> None:
        await call(_COMPONENT, self._change, plugin_id, name, value)

    async def delete(self, plugin_id: str, name: str) -> None:
        await call(_COMPONENT, self._change, plugin_id, name, None)

    def _change(self, plugin_id: str, name: str, value: str | None) -> None:
        for attempt in range(_ATTEMPTS):
            values, version = self._read(plugin_id)
            changed = {key: kept for key, kept in values.items() if key != name}
            if value is not None:
                changed[name] = value
            if changed == values or self._replace(plugin_id, version, changed):
                return
            # Another change came first.
            time.sleep(random.uniform(0.02, 0.05) * (attempt + 1))  # noqa: S311  # only the time of another attempt
        raise Unavailable(_COMPONENT)

    def _read(self, plugin_id: str) -> tuple[dict[str, str], str]:
        """Return the values by name, and the version that they are of."""
        answer = self._client.get_secret_value(SecretId=self._secret(plugin_id), VersionStage=_CURRENT)
        return cast("dict[str, str]", json.loads(answer["SecretString"])), answer["VersionId"]

    def _replace(self, plugin_id: str, version: str, values: dict[str, str]) -> bool:
        """Make ``values`` current in the place of ``version``; return False where that is not current any more."""
        secret = self._secret(plugin_id)
        new = self._client.put_secret_value(SecretId=secret, SecretString=json.dumps(values), VersionStages=[_PENDING])[
            "VersionId"
        ]
        try:
            self._client.update_secret_version_stage(
                SecretId=secret, VersionStage=_CURRENT, MoveToVersionId=new, RemoveFromVersionId=version
            )
        except self._client.exceptions.InvalidParameterException:
            return False
        return True

    def _secret(self, plugin_id: str) -> str:
        return f"{self._server_name}/plugin/{plugin_id}"
