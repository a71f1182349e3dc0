"""The API twice: over uvicorn, and through the Lambda handler with API Gateway's events. Every test runs on both.

A module's tests share one API, on a database and a stack of the module's own; each test is another user.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, cast

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI, Header
from mangum.types import LambdaContext, LambdaEvent
from psycopg import sql

from functions.api import handler
from infra.local.postgres import LocalPostgres
from memory_api.app import from_environment
from memory_api.auth import principal
from memory_server.domain.events import new_id
from memory_server.domain.principals import LOCAL, Principal
from tests.fixtures.aws import (
    BUCKET,
    BUS,
    CACHE_TABLE,
    DELIVERY_LOG_TABLE,
    PLUGINS_TABLE,
    SCHEDULE_GROUP,
    SCHEDULE_ROLE,
    SEQUENCES_TABLE,
    SERVER_NAME,
    AwsStack,
    aws_stack,
)
from tests.fixtures.embedder import FakeEmbedder
from tests.fixtures.embedder_function import EmbedderFunction, serving
from tests.fixtures.gateway import GatewayTransport


@pytest.fixture(scope="module")
def stack() -> Iterator[AwsStack]:
    with aws_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def database_name(postgres: LocalPostgres, template_database: str) -> Iterator[str]:
    name = f"api_{new_id().replace('-', '')}"
    with psycopg.connect(postgres.admin_dsn, autocommit=True) as connection:
        names = {"name": sql.Identifier(name), "template": sql.Identifier(template_database)}
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


@pytest.fixture(scope="module")
def embedder_function() -> EmbedderFunction:
    return EmbedderFunction(FakeEmbedder())


@pytest.fixture(scope="module")
def plugin_functions() -> dict[str, Callable[[bytes], bytes]]:
    """The functions of plugins by their ids; those of all others agree to what they are asked."""
    return {}


@pytest.fixture(scope="module")
def environment(
    stack: AwsStack,
    postgres: LocalPostgres,
    database_name: str,
    embedder_function: EmbedderFunction,
    plugin_functions: dict[str, Callable[[bytes], bytes]],
) -> Iterator[dict[str, str]]:
    """What template.yaml would give the API's function."""
    with serving(embedder_function, plugin_functions) as url, pytest.MonkeyPatch.context() as patch:
        variables = {
            "DATABASE_HOST": postgres.host,
            "DATABASE_PORT": str(postgres.port),
            "DATABASE_NAME": database_name,
            "SERVER_SECRET_ARN": stack.server_secret_arn,
            "EVENT_BUS": BUS,
            "EVENTS_BUCKET": BUCKET,
            "PLUGINS_TABLE": PLUGINS_TABLE,
            "SERVER_NAME": SERVER_NAME,
            "SCHEDULE_GROUP": SCHEDULE_GROUP,
            "SCHEDULE_ROLE_ARN": SCHEDULE_ROLE,
            "SEQUENCES_TABLE": SEQUENCES_TABLE,
            "DELIVERY_LOG_TABLE": DELIVERY_LOG_TABLE,
            "EMBEDDING_CACHE_TABLE": CACHE_TABLE,
            "EMBEDDER_FUNCTION": "embedder",
            "AWS_ENDPOINT_URL_LAMBDA": url,
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


def _user(x_test_user: Annotated[str, Header()] = LOCAL.user_id) -> Principal:
    return Principal(x_test_user)


@contextmanager
def _uvicorn() -> Generator[httpx.Client]:
    app = from_environment()
    app.dependency_overrides[principal] = _user
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join()


@contextmanager
def _lambda() -> Generator[httpx.Client]:
    handler.adapter.cache_clear()
    transport = GatewayTransport(_invoke)
    with httpx.Client(base_url="http://api.test", transport=transport) as client:
        yield client
        # AWS freezes an environment and never closes it; a test leaves no connection behind.
        transport.run(lambda: asyncio.get_event_loop().run_until_complete(_lambda_app().state.services.close()))


def _lambda_app() -> FastAPI:
    return cast(FastAPI, handler.adapter().app)


def _invoke(event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
    _lambda_app().dependency_overrides[principal] = _user
    return handler.handler(event, context)


@pytest.fixture(scope="module")
def over_uvicorn(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API under uvicorn, as the built-in user."""
    assert environment
    with _uvicorn() as client:
        yield client


@pytest.fixture(scope="module")
def over_lambda(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API behind API Gateway, as the built-in user."""
    assert environment
    with _lambda() as client:
        yield client


@pytest.fixture(scope="module", params=["over_uvicorn", "over_lambda"])
def server(request: pytest.FixtureRequest) -> httpx.Client:
    """A client of the API, as the built-in user."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def api(server: httpx.Client) -> httpx.Client:
    """A client of the API, as a user of the test's own."""
    server.headers["X-Test-User"] = new_id()
    return server
