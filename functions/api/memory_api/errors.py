"""The one place where errors become answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from memory_api.headers import QUOTA_RETRY_SECONDS, quota_headers, rate_limit_headers
from memory_api.problems import problem
from memory_api.protected_resource import challenge
from memory_server.domain import errors
from plugin_kit.json_types import JsonValue

_KINDS: Final[Mapping[type[errors.MemoryServerError], tuple[int, str, str]]] = {
    errors.Unauthenticated: (401, "unauthenticated", "Sign in"),
    errors.InsufficientScope: (403, "insufficient-scope", "The credential does not permit this"),
    errors.OutsideProject: (403, "outside-project", "The credential is for another project"),
    errors.TooManyRequests: (429, "too-many-requests", "Too many requests"),
    errors.QuotaExceeded: (429, "quota-exceeded", "You have as much as you may have"),
    errors.KeyNotFound: (404, "key-not-found", "There is no such API key"),
    errors.ExportNotFound: (404, "export-not-found", "There is no such export"),
    errors.InvalidRequest: (422, "invalid-request", "The request is not valid"),
    errors.MemoryNotFound: (404, "memory-not-found", "There is no such memory"),
    errors.VersionConflict: (412, "version-conflict", "The memory has changed"),
    errors.DuplicateContent: (409, "duplicate-content", "Another memory has this content"),
    errors.IdempotencyKeyReused: (422, "idempotency-key-reused", "The Idempotency-Key was used before"),
    errors.PluginNotFound: (404, "plugin-not-found", "There is no such plugin"),
    errors.PluginRefused: (422, "plugin-refused", "The plugin cannot be enabled"),
    errors.PluginFailed: (502, "plugin-failed", "The plugin failed"),
    errors.SecretNotFound: (404, "secret-not-found", "The plugin has no such secret"),
    errors.PluginNotEnabled: (409, "plugin-not-enabled", "The plugin is off"),
    errors.ReplayRunning: (409, "replay-running", "A replay is not done"),
    errors.EndpointNotFound: (404, "endpoint-not-found", "The plugin has no such endpoint"),
    errors.EndpointMethodNotAllowed: (405, "endpoint-method-not-allowed", "The endpoint takes other methods"),
    errors.EndpointFailed: (502, "endpoint-failed", "The plugin failed"),
    errors.EndpointTimedOut: (504, "endpoint-timed-out", "The plugin did not answer in time"),
    errors.PermissionDenied: (403, "permission-denied", "This is not permitted"),
    errors.Unavailable: (503, "unavailable", "A part of the server does not answer"),
}


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with problem details. What is not expected is for the middleware to catch."""
    app.add_exception_handler(errors.MemoryServerError, domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


def internal_error(request: Request, error_id: str) -> Response:
    """Return the answer to an error that nobody expected: no more than where the logs tell of it."""
    return problem(request, 500, kind="internal-error", error_id=error_id)


def told(error: errors.MemoryServerError) -> str:
    """Return what a model is told of ``error``: what is the matter, and what to do."""
    _, _, title = _KINDS[type(error)]
    return f"{title}: {error}"


def told_of_internal_error(error_id: str) -> str:
    """Return what a model is told of an error that nobody expected."""
    return f"The server failed: try once more, and tell the user that its log has more under the error_id {error_id}"


def invalid_arguments(error: ValidationError, *place: str) -> errors.InvalidRequest:
    """Return the error that says what is wrong with the arguments of a tool, or with the one at ``place``."""
    return errors.InvalidRequest([errors.Fault((*place, *item["loc"]), _message(item)) for item in error.errors()])


def domain_error(request: Request, error: Exception) -> Response:
    """Return the answer to an error of the domain."""
    status, kind, title = _KINDS[cast("type[errors.MemoryServerError]", type(error))]
    return problem(
        request, status, kind=kind, title=title, detail=str(error), headers=_headers(request, error), **_members(error)
    )


def _headers(request: Request, error: Exception) -> dict[str, str]:
    match error:
        case errors.Unauthenticated():
            return {"WWW-Authenticate": challenge(request, error="invalid_token" if error.given else None)}
        case errors.InsufficientScope():
            return {"WWW-Authenticate": challenge(request, error="insufficient_scope", scope=error.scope)}
        case errors.TooManyRequests():
            return {
                "Retry-After": str(error.retry_after),
                **rate_limit_headers(error.quota, 0, error.retry_after),
            }
        case errors.QuotaExceeded():
            return {"Retry-After": str(QUOTA_RETRY_SECONDS), **quota_headers(error.quota, error.allowed, 0)}
        case errors.Unavailable():
            return {"Retry-After": str(error.retry_after)}
        case errors.EndpointMethodNotAllowed():
            return {"Allow": ", ".join(error.allowed)}
        case _:
            return {}


def _members(error: Exception) -> dict[str, JsonValue]:
    match error:
        case errors.InvalidRequest() | errors.IdempotencyKeyReused():
            return {"errors": _faults(error)}
        case errors.DuplicateContent():
            return {"memory_id": error.memory_id}
        case errors.EndpointNotFound():
            return {"endpoints": error.endpoints}
        case errors.InsufficientScope():
            return {"scope": error.scope}
        case errors.QuotaExceeded():
            told: dict[str, JsonValue] = {"quota": error.quota, "allowed": error.allowed, "used": error.used}
            return told if error.place is None else {**told, "errors": _faults(error)}
        case errors.EndpointFailed():
            return {"plugin": error.plugin_id, "error_id": error.error_id}
        case _:
            return {}


def _faults(error: errors.InvalidRequest | errors.IdempotencyKeyReused | errors.QuotaExceeded) -> list[JsonValue]:
    """Return which parts of the request are the matter."""
    match error:
        case errors.InvalidRequest():
            return [_fault(("body", *fault.path), fault.message) for fault in error.faults]
        case errors.IdempotencyKeyReused():
            return [_fault(("header", "Idempotency-Key"), str(error))]
        case errors.QuotaExceeded():
            return [_fault(("body", "memories", error.place or 0), "it and those after it are too much")]


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what the handler is installed for
    if isinstance(error.body, bytes):
        return problem(request, 415, detail="send JSON, with the header Content-Type: application/json")
    found = cast("Sequence[Mapping[str, object]]", error.errors())
    return _invalid(request, [_described(item) for item in found])


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what the handler is installed for
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # FastAPI's answer to JSON that Python cannot take in: nested too deep, a number too long, not UTF-8.
        return _invalid(request, [_fault(("body",), f"is not JSON that can be read: {error.__cause__}")])
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        return problem(request, 405, detail=f"this path takes {allowed}", headers={"Allow": allowed})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(
            request, 404, detail="there is nothing at this path: check it and the id in it, /docs shows what there is"
        )
    return problem(request, error.status_code, detail=error.detail, headers=error.headers)


def _invalid(request: Request, faults: Sequence[Mapping[str, JsonValue]]) -> Response:
    status, kind, title = _KINDS[errors.InvalidRequest]
    detail = "; ".join(f"{fault['field']}: {fault['detail']}" for fault in faults)
    return problem(request, status, kind=kind, title=title, detail=detail, errors=faults)


def _described(item: Mapping[str, object]) -> dict[str, JsonValue]:
    location = cast("tuple[str | int, ...]", item["loc"])
    if item["type"] == "json_invalid":
        reason = cast("Mapping[str, object]", item["ctx"])["error"]
        return _fault(("body",), f"is not JSON: {reason}, at character {location[-1]}")
    return _fault(location, _message(item))


def _message(item: Mapping[str, object]) -> str:
    if item["type"] == "string_unicode":
        return "must be valid Unicode: it contains half of a surrogate pair"
    return str(item["msg"])


def _fault(location: Iterable[str | int], detail: str) -> dict[str, JsonValue]:
    """Return what the answer says of the field at ``location``: where it stands in the request, then its path."""
    where, *path = location
    fault: dict[str, JsonValue] = {"field": ".".join(map(str, path)) or str(where), "in": where, "detail": detail}
    if where == "body":
        fault["pointer"] = "#" + "".join(f"/{_token(part)}" for part in path)
    return fault


def _token(part: str | int) -> str:
    return quote(str(part).replace("~", "~0").replace("/", "~1"), safe="~", errors="replace")


def _methods(request: Request) -> list[str]:
    """Return the methods that the request's path takes, whichever routes they belong to."""
    path = request.url.path
    routes = (route for route in iter_route_contexts(request.app.routes) if route.path_regex.match(path))
    return sorted({method for route in routes for method in route.methods or ()})
