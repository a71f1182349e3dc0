"""The secrets of plugins, which must outlive the emulator, hooked into ministack.

This runs inside the emulator's process. ministack has no public door for it, so the names that are hooked are those of
the version that requirements-aws.txt pins.
"""

from __future__ import annotations

import importlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Final, TypeAlias, cast

from infra.local.aws_journal import Attributes, Change, Journal
from infra.local.aws_state import Created, Handler, Properties

Described: TypeAlias = "Mapping[str, object]"

_KEPT: Final = "/plugin/"
"""What the names of plugins' secrets have in common; a stack makes the others anew."""

_TABLE: Final = "secrets"  # in the journal, beside the tables of DynamoDB


class KeptSecrets:
    """The secrets of plugins: every new value is in the journal before its answer leaves.

    A secret's id in CloudFormation is its ARN, as on AWS, where ministack has its name.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._module = vars(importlib.import_module("ministack.services.secretsmanager"))
        self._secrets = cast("MutableMapping[str, Described]", self._module["_secrets"])
        self._handle = cast("Callable[..., Awaitable[object]]", self._module["handle_request"])
        provisioners = vars(importlib.import_module("ministack.services.cloudformation.provisioners"))
        handlers = cast("dict[str, dict[str, Handler]]", provisioners["_RESOURCE_HANDLERS"])
        self._handlers = handlers["AWS::SecretsManager::Secret"]
        self._create = self._handlers["create"]
        self._delete = cast("Callable[[str, Properties], None]", self._handlers["delete"])

    def install(self) -> None:
        """Take the place of ministack's own functions; a secret that a stack makes gets the value that it had."""
        self._module["handle_request"] = self._handle_request
        self._handlers.update(create=self._create_secret, delete=cast(Handler, self._delete_secret))
        self._handlers.pop("update")  # a changed one is made anew: nothing but its description can change

    def _create_secret(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        kept = {_text(item, "name"): _text(item, "value") for item in self._journal.items(_TABLE)}
        name = str(properties.get("Name"))
        value = _with_generated(properties, kept.get(name)) if _KEPT in name else None
        given = properties if value is None else {**properties, "SecretString": value}
        _, attributes = self._create(logical_id, given, stack_name)
        if value is not None and value != kept.get(name):
            self._journal.write([_change(name, value)])
        return attributes["Arn"], attributes

    def _delete_secret(self, arn: str, properties: Properties) -> None:
        name = next((name for name, secret in self._secrets.items() if secret["ARN"] == arn), None)
        if name is not None:
            self._delete(name, properties)
            self._journal.write([_change(name, None)])

    async def _handle_request(self, *request: object) -> object:
        before = self._values()
        answer = await self._handle(*request)
        after = self._values()
        changes = [_change(name, after.get(name)) for name in before | after if before.get(name) != after.get(name)]
        if changes:
            self._journal.write(changes)
        return answer

    def _values(self) -> dict[str, str]:
        """Return the current value of each secret that is kept, by name."""
        return {name: _current(secret) for name, secret in self._secrets.items() if _KEPT in name}


def _with_generated(properties: Properties, kept: str | None) -> str | None:
    """Return the value that was kept, with the member that the template wants generated where it has none."""
    wanted = cast("Mapping[str, str] | None", properties.get("GenerateSecretString"))
    if wanted is None:
        return kept
    generated = {wanted["GenerateStringKey"]: secrets.token_urlsafe(48)}
    return json.dumps({**generated, **json.loads(kept or "{}")})


def _change(name: str, value: str | None) -> Change:
    item: Attributes = {"name": {"S": name}}
    return Change(table=_TABLE, key=item, item=None if value is None else {**item, "value": {"S": value}})


def _current(secret: Described) -> str:
    versions = cast("Mapping[str, Mapping[str, object]]", secret["Versions"]).values()
    current = (version for version in versions if "AWSCURRENT" in cast("list[str]", version["Stages"]))
    return str(next(current)["SecretString"])


def _text(item: Attributes, name: str) -> str:
    return str(item[name]["S"])
