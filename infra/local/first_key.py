"""The first API key of a server that has none: without it nobody could make another."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.local.aws import Aws
from infra.local.errors import CannotRun
from memory_server.domain.principals import LOCAL


def first_key(aws: Aws, outputs: Mapping[str, str]) -> str | None:
    """Return a new key with every scope, for the user whom everyone was without sign-in; None where there is a key.

    Raises:
        CannotRun: the registrar, which makes it, fails.
    """
    if aws.dynamodb.scan(TableName=outputs["KeysTableName"], Limit=1)["Items"]:
        return None
    answer = aws.functions.invoke(
        FunctionName=outputs["RegistrarFunctionArn"],
        Payload=json.dumps({"bootstrap_key": {"user_id": LOCAL.user_id}}),
    )
    said = answer["Payload"].read()
    if "FunctionError" in answer:
        raise CannotRun(f"the registrar makes no key: {said.decode()}")
    return json.loads(said)["key"]
