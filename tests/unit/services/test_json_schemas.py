"""A plugin's JSON Schema is checked before it is used, and can neither reach out nor hold the server up."""

from __future__ import annotations

import json
import time

import pytest

from memory_server.services.json_schemas import schema_fault, value_faults
from plugin_kit.json_types import JsonObject


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "objekt"}, "/type"),
        ({"properties": {"a": {"minimum": "1"}}}, "/properties/a/minimum"),
        ({"properties": {"a": {"pattern": "("}}}, "/properties/a/pattern"),
        ({"properties": {"a": {"$ref": "#/$defs/missing"}}}, "/$defs/missing"),
        ({"properties": {"a": {"$ref": "https://example.org/schema"}}}, "https://example.org/schema"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "file:///etc/passwd"),
    ],
)
def test_a_schema_that_cannot_be_used_is_told(schema: JsonObject, where: str) -> None:
    fault = schema_fault(schema)
    assert fault is not None
    assert where in fault


def test_a_schema_may_refer_to_its_own_definitions() -> None:
    schema: JsonObject = {"$defs": {"days": {"type": "integer"}}, "properties": {"keep": {"$ref": "#/$defs/days"}}}

    assert schema_fault(schema) is None
    assert [fault.path for fault in value_faults(schema, {"keep": "x"})] == [("keep",)]


def test_a_pattern_that_would_search_for_ever_is_given_up() -> None:
    start = time.monotonic()
    assert value_faults({"pattern": r"^(?=(a+)+$)(a+)+\1$"}, "a" * 60 + "b")
    assert time.monotonic() - start < 2


def test_of_very_many_faults_the_first_hundred_are_told() -> None:
    assert len(value_faults({"items": {"type": "integer"}}, ["x"] * 5000)) == 100


def test_a_fault_does_not_repeat_the_value() -> None:
    (fault,) = value_faults({"maxLength": 3}, "sesame")
    assert "sesame" not in fault.message


@pytest.mark.parametrize("text", [f"{10**400}", f"-{10**400}", "1e308", '"\U0001f600"', '{"a": [[[[{}]]]]}', "null"])
def test_whatever_json_can_say_can_be_held_against_a_schema(text: str) -> None:
    assert value_faults({"type": "boolean"}, json.loads(text))
