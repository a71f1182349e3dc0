"""The app: routes, errors and what surrounds them, around services that bootstrap built."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aws_lambda_powertools import Logger
from fastapi import FastAPI

from memory_api import errors, openapi
from memory_api.audit import Audit
from memory_api.middleware import LimitBody, LogRequests, PublishEvents
from memory_api.routes import (
    exports,
    health,
    keys,
    mcp,
    me,
    memories,
    plugin_config,
    plugin_deliveries,
    plugin_endpoints,
    plugins,
    protected_resource,
    search,
)
from memory_api.sign_in import LocalOnly, SignInFirst, is_loopback
from memory_server import bootstrap
from memory_server.domain.events import new_event
from memory_server.settings import InvalidSettings, Settings


def from_environment(host: str | None = None) -> FastAPI:
    """Return the app over what the environment names: for a server on ``host``, and for a Lambda's cold start.

    Raises:
        InvalidSettings: a variable is missing or wrong, or sign-in is off and ``host`` is not a loopback address.
    """
    settings = Settings.from_environment()
    signed_in = settings.sign_in == "required"
    if not signed_in and (host is None or not is_loopback(host)):
        raise InvalidSettings(
            f"SIGN_IN is off, which a server on a loopback address alone may be, not on {host or 'AWS'}: set it to "
            "required"
        )
    return create_app(bootstrap.api(settings), signed_in=signed_in)


def create_app(services: bootstrap.Api, *, signed_in: bool = True) -> FastAPI:
    """Return the app over ``services``. Under a server it warms them at the start and closes them at the end.

    Where ``signed_in`` is false, everyone on this machine is the built-in user.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        starting = asyncio.create_task(start())
        yield
        await starting
        services.events.observed([new_event("server_stopped", None, {})])
        await services.events.flush()
        await services.close()

    async def start() -> None:
        await services.warm()
        await services.events.flush()

    app = FastAPI(
        title="mcp-memory-server",
        version="0.1.0",
        summary="Memories for AI agents: stored, found by meaning, and seen by plugins.",
        lifespan=lifespan,
        redirect_slashes=False,
        # openapi.install serves the document and the page that shows it.
        openapi_url=None,
    )
    app.state.services = services
    services.events.observed([new_event("server_started", None, {})])
    # The search and batch paths come before the paths with an id, which would take their names for one.
    # The endpoints of plugins come last: they are what the other paths leave.
    for part in (
        search,
        memories,
        plugins,
        plugin_config,
        plugin_deliveries,
        keys,
        me,
        exports,
        health,
        mcp,
        protected_resource,
        plugin_endpoints,
    ):
        app.include_router(part.router)
    errors.install(app)
    openapi.install(app)
    # The last one added is the outermost.
    logger = Logger(service="api", serialize_stacktrace=False)
    app.add_middleware(LimitBody)
    if signed_in:
        app.add_middleware(SignInFirst, sign_in=services.sign_in, rate_limits=services.rate_limits)
    else:
        app.add_middleware(LocalOnly)
    app.add_middleware(Audit, logger=logger)
    app.add_middleware(LogRequests, logger=logger)
    app.add_middleware(PublishEvents, events=services.events)
    return app
