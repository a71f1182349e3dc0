"""What ministack does not know of the policies of this project: the names of some resources, and of conditions.

Without the latter, a condition on what a request does not seem to name would hold for every request.

This runs inside the emulator's process. ministack has no public door for it, so the names that are hooked are those of
the version that requirements-aws.txt pins.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Object: TypeAlias = "Mapping[str, Json]"
Values: TypeAlias = "dict[str, object]"

_LEADING_KEYS: Final = "dynamodb:LeadingKeys"
_ATTRIBUTES: Final = "dynamodb:Attributes"
_UNKNOWN: Final = "?"  # no plugin's id, so that what cannot be read is refused
_WORD: Final = re.compile(r"[#:]?[A-Za-z_]\w*")
_EQUALITY: Final = re.compile(r"(#?\w+)\s*=\s*(:\w+)")
_KEYWORDS: Final = {
    *("set", "remove", "add", "delete", "and", "or", "not", "between", "in", "if_not_exists", "list_append"),
    *("size", "contains", "begins_with", "attribute_exists", "attribute_not_exists", "attribute_type"),
}


def know_conditions() -> None:
    """Let ministack evaluate the policies of this project as AWS does."""
    actions = vars(importlib.import_module("ministack.core.iam_actions"))
    tables = cast("Mapping[str, Object]", vars(importlib.import_module("ministack.services.dynamodb"))["_tables"])
    dynamodb = cast("Callable[[bytes], Values]", actions["dynamodb_service_context"])

    def of_dynamodb(body: bytes) -> Values:
        known, request = dynamodb(body), cast(Object, json.loads(body))
        attributes = {*cast("list[str]", known.get(_ATTRIBUTES, [])), *_attributes(request)}
        values: Values = {_LEADING_KEYS: sorted(set(_leading_keys(request, lambda name: str(tables[name]["pk_name"]))))}
        return {**known, **values, **({_ATTRIBUTES: sorted(attributes)} if attributes else {})}

    def of_others(_service: str, action: str, body: bytes, _parameters: object) -> Values:
        """Return no tags either, for which ministack would read the models of whole services: no policy names one."""
        return _sources(body) if action == "events:PutEvents" else {}

    extract = cast("Callable[..., str | None]", actions["extract_iam_action"])

    def action_of(service: str, *request: object) -> str:
        action = extract(service, *request) or f"{service}:Unknown"  # what has no name would be allowed
        return action.removesuffix("Batch") if service == "sqs" else action  # a batch of SQS is its entries' action

    resource = cast("Callable[..., str]", actions["extract_resource_arn"])

    def resource_of(service: str, *request: object) -> str:
        _, _, headers, body, _, region, account = request
        if cast("Mapping[str, str]", headers).get("x-amz-target") != "AWSEvents.DescribeEventBus":
            return resource(service, *request)
        name = cast(Object, json.loads(cast(bytes, body)))["Name"]
        return f"arn:aws:events:{region}:{account}:event-bus/{name}"

    actions.update(
        dynamodb_service_context=of_dynamodb,
        request_tag_context=of_others,
        extract_iam_action=action_of,
        extract_resource_arn=resource_of,
    )
    app = vars(importlib.import_module("ministack.app"))
    pin = cast("Callable[[str, bool], None]", app["pin_request_origin"])

    def pin_origin(address: str, _secure: bool) -> None:
        pin(address, True)  # what is said on the loopback interface is as safe from others as what TLS protects

    app["pin_request_origin"] = pin_origin


def _sources(body: bytes) -> Values:
    """Return the source of the events to put; of events of several sources, one that no policy names."""
    entries = cast("Sequence[Object]", cast(Object, json.loads(body))["Entries"])
    sources = {str(entry["Source"]) for entry in entries}
    return {"events:source": sources.pop() if len(sources) == 1 else _UNKNOWN}


def _leading_keys(request: Object, hash_key: Callable[[str], str]) -> Iterator[str]:
    """Yield the partition keys of all items that ``request`` touches; ``hash_key`` names a table's."""
    if "TableName" in request:
        yield _leading_key(request, hash_key(_name(str(request["TableName"]))))
    for table, asked in cast("Mapping[str, Json]", request.get("RequestItems", {})).items():
        # BatchGetItem has keys, BatchWriteItem a list of requests, each under the name of what it does.
        keys = cast(Object, asked)["Keys"] if isinstance(asked, Mapping) else asked
        for one in cast("Sequence[Object]", keys):
            (inner,) = one.values() if "PutRequest" in one or "DeleteRequest" in one else ({"Key": one},)
            yield _leading_key(cast(Object, inner), hash_key(_name(table)))
    if "TransactItems" in request or "Statement" in request or "Statements" in request:
        yield _UNKNOWN


def _leading_key(request: Object, hash_key: str) -> str:
    item = cast("Mapping[str, Object]", request.get("Key") or request.get("Item") or {})
    if hash_key in item:
        return _text(item[hash_key])
    expression = str(request.get("KeyConditionExpression", ""))
    names = cast("Mapping[str, str]", request.get("ExpressionAttributeNames", {}))
    values = cast("Mapping[str, Object]", request.get("ExpressionAttributeValues", {}))
    for name, value in _EQUALITY.findall(expression):
        if names.get(name, name) == hash_key and value in values:
            return _text(values[value])
    return _UNKNOWN


def _attributes(request: Object) -> Iterator[str]:
    """Yield the attributes that a change names, those inside of others too."""
    if "UpdateExpression" not in request:
        return
    yield from cast("Mapping[str, Json]", request["Key"])
    names = cast("Mapping[str, str]", request.get("ExpressionAttributeNames", {}))
    for expression in (str(request["UpdateExpression"]), str(request.get("ConditionExpression", ""))):
        for word in _WORD.findall(expression):
            if not word.startswith(":") and word.lower() not in _KEYWORDS:
                yield names.get(word, word)


def _text(value: Object) -> str:
    """Return a key of DynamoDB's, such as {"S": "memory_analytics"}."""
    return str(next(iter(value.values())))


def _name(table: str) -> str:
    """Return the name of a table that may be given by its ARN."""
    return table.rpartition("/")[2]
