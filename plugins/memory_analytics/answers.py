"""The answer of an endpoint: its report as JSON, or the report's chart as SVG."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse

from .chart import Report
from .parameters import InvalidParameter, Parameters

Reporter: TypeAlias = Callable[[Mapping[str, str], Context], Awaitable[Report]]


async def answer(request: EndpointRequest, context: Context, report: Reporter) -> JsonValue | EndpointResponse:
    """Return what ``report`` says, in the ``format`` asked for; a parameter that is wrong is a problem document."""
    query = {name: value for name, value in request.query.items() if name != "format"}
    try:
        form = Parameters(request.query, list(request.query)).choice("format", ("json", "svg"))
        found = await report(query, context)
    except InvalidParameter as error:
        return EndpointResponse(status=422, body=_problem(error), content_type="application/problem+json")
    if form != "svg":
        return found.body
    from .svg import draw  # what draws takes long to import, and hooks need none of it

    return EndpointResponse(body=draw(found.chart), content_type="image/svg+xml")


def _problem(error: InvalidParameter) -> JsonObject:
    return {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": str(error),
        "errors": [{"field": error.name, "in": "query", "detail": error.message}],
    }
