"""The OpenAPI document, with the schema that every problem has and the endpoints that plugins have now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html

from memory_api.auth import known
from memory_api.plugin_openapi import with_plugins
from memory_api.problems import Problem, problems
from memory_server.bootstrap import Api
from plugin_kit.endpoint_checks import DEFAULT_SCOPE
from plugin_kit.json_types import dumps

DOCUMENT_PATH: Final = "/openapi.json"
_REF_TEMPLATE = "#/components/schemas/{model}"
_DENIALS: Final = problems(401, 403, 429)


def install(app: FastAPI) -> None:
    """Complete the document that ``app`` makes of its routes, and serve it with the page that shows it."""
    generate: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document["components"]["schemas"]
        if "Problem" not in schemas:
            schema = Problem.model_json_schema(ref_template=_REF_TEMPLATE)
            schemas.update(schema.pop("$defs"))
            schemas["Problem"] = schema
            for path in document["paths"].values():
                for operation in path.values():
                    if "security" in operation:
                        operation["responses"].update({str(status): answer for status, answer in _DENIALS.items()})
        return document

    async def get_document(request: Request) -> Response:
        services, caller = cast(Api, app.state.services), known(request)
        may_list = caller is not None and DEFAULT_SCOPE in caller.scopes
        document = with_plugins(app.openapi(), await services.plugin_endpoints.published() if may_list else ())
        return Response(dumps(document), media_type="application/json")

    async def get_docs(_: Request) -> Response:
        return get_swagger_ui_html(openapi_url=DOCUMENT_PATH.lstrip("/"), title=app.title)

    app.openapi = openapi
    app.add_route(DOCUMENT_PATH, get_document, include_in_schema=False)
    app.add_route("/docs", get_docs, include_in_schema=False)
