"""The API twice: over uvicorn, and through the Lambda handler with API Gateway's events. Every test runs on both.

A module's tests share one API, on a database and a stack of the module's own; each test is another user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from infra.local.postgres import LocalPostgres
from memory_server.domain.events import new_id
from tests.fixtures.api import api_database, api_environment, api_over_lambda, api_over_uvicorn
from tests.fixtures.aws import AwsStack, aws_stack
from tests.fixtures.embedder import FakeEmbedder
from tests.fixtures.embedder_function import EmbedderFunction, serving
from tests.integration.api.agent import ERAS, Agent


@pytest.fixture(scope="module")
def stack() -> Iterator[AwsStack]:
    with aws_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def database_name(postgres: LocalPostgres, template_database: str) -> Iterator[str]:
    with api_database(postgres, template_database) as name:
        yield name


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
    with (
        serving(embedder_function, plugin_functions) as url,
        api_environment(stack, postgres, database_name, url) as variables,
    ):
        yield variables


@pytest.fixture(scope="module")
def over_uvicorn(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API under uvicorn, as the built-in user."""
    assert environment
    with api_over_uvicorn() as client:
        yield client


@pytest.fixture(scope="module")
def without_sign_in(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API under uvicorn as it runs on one machine: everyone there is the built-in user."""
    assert environment
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGN_IN", "off")
        with api_over_uvicorn() as client:
            yield client


@pytest.fixture(scope="module")
def over_lambda(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API behind API Gateway, as the built-in user."""
    assert environment
    with api_over_lambda() as client:
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


@pytest.fixture(params=ERAS)
def agent(api: httpx.Client, request: pytest.FixtureRequest) -> Agent:
    """An agent of a user of the test's own, in the revision without a handshake and in the last one with one."""
    return Agent(api, request.param)
