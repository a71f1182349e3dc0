"""The endpoints of plugins in the OpenAPI document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from memory_api.plugin_openapi import with_plugins
from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.json_types import JsonObject, JsonValue

DOCUMENT: JsonObject = {
    "openapi": "3.1.0",
    "paths": {"/memories": {"get": {}}},
    "components": {"schemas": {"Problem": {"type": "object"}}},
}
NODE = {
    "$id": "https://example.com/node",
    "$ref": "#/$defs/node",
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "root": {"$ref": "#"}}}},
    "examples": [["a"]],
}


def plugin(plugin_id: str, *endpoints: JsonObject) -> PluginRegistration:
    return PluginRegistration(
        plugin_id=plugin_id,
        name=plugin_id.title(),
        version="1.2.3",
        description="A plugin of the tests",
        author="tests",
        hooks=(),
        priority=100,
        permissions=(),
        enabled=True,
        registered_at=datetime(2026, 11, 22, tzinfo=UTC),
        function_arn="",
        queue_url="",
        dead_letter_queue_url="",
        manifest={"endpoints": endpoints},
    )


def endpoint(method: str, path: str, handler: str, **more: JsonValue) -> JsonObject:
    return {"method": method, "path": path, "handler": handler, "summary": f"Do {handler}", **more}


@pytest.fixture
def document() -> dict[str, Any]:
    notes = plugin(
        "notes",
        endpoint("GET", "/notes/{note}/{part}", "show"),
        endpoint("PUT", "/notes/{note}/{part}", "show", request=cast(JsonObject, NODE)),
        endpoint("POST", "/notes", "add", response={"type": "string"}),
    )
    return cast("dict[str, Any]", with_plugins(DOCUMENT, [notes, plugin("notes_show", endpoint("GET", "/a", "b"))]))


def test_an_endpoint_is_an_operation_of_its_plugin(document: dict[str, Any]) -> None:
    operation = document["paths"]["/plugins/notes/notes/{note}/{part}"]["get"]

    assert operation["operationId"] == "notes_show"
    assert operation["summary"] == "Do show"
    assert operation["tags"] == ["Notes"]
    assert [(each["name"], each["in"]) for each in operation["parameters"]] == [("note", "path"), ("part", "path")]
    assert "requestBody" not in operation
    assert document["tags"][0] == {"name": "Notes", "description": "A plugin of the tests"}


def test_no_two_operations_have_the_same_id(document: dict[str, Any]) -> None:
    ids = [operation.get("operationId") for path in document["paths"].values() for operation in path.values()]

    assert ids == [None, "notes_show", "notes_show_2", "notes_add", "notes_show_b"]


def test_what_goes_wrong_is_a_problem(document: dict[str, Any]) -> None:
    responses = document["paths"]["/plugins/notes/notes"]["post"]["responses"]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    assert responses.keys() == {str(status) for status in (200, 401, 403, 404, 409, 413, 415, 422, 502, 503, 504)}
    assert all(answer["content"] == problem for status, answer in responses.items() if status != "200")


def test_a_schemas_references_to_itself_hold_where_it_stands(document: dict[str, Any]) -> None:
    body = document["paths"]["/plugins/notes/notes/{note}/{part}"]["put"]["requestBody"]
    here = body["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][here.removeprefix("#/components/schemas/")]

    assert schema == {
        "$ref": f"{here}/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"next": {"$ref": f"{here}/$defs/node"}, "root": {"$ref": here}},
            }
        },
        "examples": [["a"]],
    }


def test_without_plugins_the_document_is_the_servers_own_and_it_never_changes(document: dict[str, Any]) -> None:
    assert with_plugins(DOCUMENT, []) is DOCUMENT
    assert document["paths"].keys() > {"/memories"}
    assert DOCUMENT["paths"] == {"/memories": {"get": {}}}
    assert DOCUMENT["components"] == {"schemas": {"Problem": {"type": "object"}}}
