"""The OpenAPI document, with the schema that every problem has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from memory_api.problems import Problem

_REF_TEMPLATE = "#/components/schemas/{model}"


def install(app: FastAPI) -> None:
    """Complete the document that ``app`` makes of its routes."""
    generate: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document["components"]["schemas"]
        if "Problem" not in schemas:
            schema = Problem.model_json_schema(ref_template=_REF_TEMPLATE)
            schemas.update(schema.pop("$defs"))
            schemas["Problem"] = schema
        return document

    app.openapi = openapi
