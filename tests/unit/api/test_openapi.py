"""The OpenAPI document."""

from __future__ import annotations

from typing import Any, cast

import pytest

from memory_api.app import create_app
from memory_server.bootstrap import Api

METHODS = {"get", "put", "post", "patch", "delete"}


class _Api:
    """Services that no request reaches."""

    sign_in = rate_limits = None

    class events:  # noqa: N801  # stands for an attribute
        @staticmethod
        def observed(_: object) -> None:
            pass


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(cast(Api, _Api())).openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for name, operation in path.items() if name in METHODS]


def test_the_routes_are_these_and_no_others(document: dict[str, Any]) -> None:
    routes = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}

    assert routes == {
        "DELETE /me",
        "GET /me",
        "POST /me/exports",
        "GET /me/exports",
        "GET /me/exports/{export_id}",
        "DELETE /me/exports/{export_id}",
        "POST /keys",
        "GET /keys",
        "POST /keys/{key_id}/rotate",
        "DELETE /keys/{key_id}",
        "GET /.well-known/oauth-protected-resource",
        "GET /.well-known/oauth-protected-resource/mcp",
        "POST /memories",
        "GET /memories",
        "POST /memories/batch",
        "POST /memories/search",
        "POST /memories/delete",
        "GET /memories/{memory_id}",
        "PATCH /memories/{memory_id}",
        "DELETE /memories/{memory_id}",
        "GET /memories/{memory_id}/history",
        "GET /plugins/list",
        "POST /plugins/enable/{plugin_id}",
        "POST /plugins/disable/{plugin_id}",
        "GET /plugins/status/{plugin_id}",
        "GET /plugins/{plugin_id}/deliveries",
        "POST /plugins/{plugin_id}/test",
        "POST /plugins/{plugin_id}/replay",
        "GET /plugins/{plugin_id}/config",
        "PUT /plugins/{plugin_id}/config",
        "PUT /plugins/{plugin_id}/secrets/{name}",
        "DELETE /plugins/{plugin_id}/secrets/{name}",
        "GET /health",
        "GET /health/ready",
    }


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers = [(status, answer) for o in operations(document) for status, answer in o["responses"].items()]

    assert all(answer["content"] == problem for status, answer in answers if status >= "400")
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_body_has_an_example_and_refuses_fields_that_it_does_not_know(document: dict[str, Any]) -> None:
    bodies = [o["requestBody"]["content"]["application/json"] for o in operations(document) if "requestBody" in o]
    schemas = [document["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]] for body in bodies]

    assert len(schemas) == 10
    assert all(schema["examples"] and schema["additionalProperties"] is False for schema in schemas)


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert all(operation["description"] and operation["tags"] for operation in operations(document))
