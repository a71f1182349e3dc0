"""Every hook, from the public door to a plugin's queue: it fires with the arguments that are documented for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import httpx
import pytest

from infra.local.postgres import LocalPostgres
from plugin_kit.context import Context
from plugin_kit.envelope import Event, decode
from plugin_kit.hooks import CATALOGUE
from plugin_kit.models import Memory, SearchResult
from tests.fixtures.api import api_database, api_environment, api_over_lambda, api_over_uvicorn
from tests.fixtures.aws import AwsStack, aws_stack, make_registration
from tests.fixtures.embedder import FakeEmbedder
from tests.fixtures.embedder_function import EmbedderFunction, serving

Fired: TypeAlias = dict[str, list[Event]]

# The contract that plugins are written to: it must not change with the catalogue.
SIGNATURES: Final = {
    "memory_created": ["memory"],
    "memory_updated": ["memory"],
    "memory_deleted": ["memory_id"],
    "memory_retrieved": ["memory"],
    "search_performed": ["query", "results"],
    "search_failed": ["query", "error"],
    "server_started": [],
    "server_stopped": [],
    "health_check": [],
    "cache_hit": ["key", "value"],
    "cache_miss": ["key"],
    "cache_updated": ["key", "value"],
}
CONTEXT: Final = {
    "plugin_name",
    "server_config",
    "logger",
    "memory_service",
    "database_service",
    "embedding_service",
    "cache_service",
    "user_id",
    "session_id",
    "project",
    "metadata",
}
TYPES: Final = {"memory": Memory, "memory_id": str, "query": str, "results": list, "error": str, "key": str}
DOCS: Final = Path(__file__).parents[2] / "docs" / "plugins"


@pytest.fixture(scope="module")
def stack() -> Iterator[AwsStack]:
    with aws_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def queue_url(stack: AwsStack) -> str:
    """The queue of a plugin that wants every event."""
    url = stack.make_queue("listener")
    asyncio.run(stack.registry().register(make_registration("listener", hooks=tuple(CATALOGUE), queue_url=url)))
    return url


@pytest.fixture(scope="module")
def embedder_function() -> EmbedderFunction:
    return EmbedderFunction(FakeEmbedder())


@pytest.fixture(scope="module")
def database_name(postgres: LocalPostgres, template_database: str) -> Iterator[str]:
    with api_database(postgres, template_database) as name:
        yield name


@pytest.fixture(scope="module")
def environment(
    stack: AwsStack, postgres: LocalPostgres, database_name: str, embedder_function: EmbedderFunction
) -> Iterator[dict[str, str]]:
    with (
        serving(embedder_function) as url,
        api_environment(stack, postgres, database_name, url) as variables,
    ):
        yield variables


@pytest.fixture(scope="module")
def fired(environment: dict[str, str], stack: AwsStack, queue_url: str, embedder_function: EmbedderFunction) -> Fired:
    """The events of one life of a server under uvicorn, by their hooks, in their order: all are on the queue by now."""
    assert environment
    with api_over_uvicorn() as api:
        use(api, embedder_function)
    return received(stack, queue_url)


def use(api: httpx.Client, embedder_function: EmbedderFunction) -> None:
    """Do with the API all that a hook tells of."""
    memory = {"content": "the disk was full", "project": "ops", "session_id": "monday"}
    path = api.post("/memories", json=memory).headers["Location"]
    api.patch(path, json={"content": "the disk was full of logs"})
    api.get(path)
    for _ in range(2):
        api.post("/memories/search", json={"query": "disk"})
    embedder_function.away = True
    api.post("/memories/search", json={"query": "unheard of"})
    embedder_function.away = False
    api.get("/health/ready")
    api.delete(path)


def received(stack: AwsStack, queue_url: str) -> Fired:
    details: list[Any] = sorted(stack.received(queue_url), key=lambda detail: str(detail["id"]))
    fired: Fired = {}
    for detail in details:
        assert list(detail["args"]) == SIGNATURES[detail["hook"]]
        fired.setdefault(detail["hook"], []).append(decode(detail))
    return fired


def test_the_catalogue_is_the_contract() -> None:
    assert {name: list(hook.arguments) for name, hook in CATALOGUE.items()} == SIGNATURES


@pytest.mark.parametrize("hook", SIGNATURES)
def test_a_hook_fires_with_its_documented_arguments(hook: str, fired: Fired) -> None:
    assert hook in fired
    for event in fired[hook]:
        assert event.plugins == ("listener",)
        for name, value in event.args.items():
            assert isinstance(value, TYPES.get(name, object))


def test_the_arguments_tell_what_happened(fired: Fired) -> None:
    created, updated, deleted = (fired[f"memory_{change}"][0].args for change in ("created", "updated", "deleted"))
    [result] = cast("list[SearchResult]", fired["search_performed"][0].args["results"])

    assert isinstance(memory := created["memory"], Memory)
    assert isinstance(changed := updated["memory"], Memory)
    assert (memory.content, changed.content) == ("the disk was full", "the disk was full of logs")
    assert fired["memory_retrieved"][0].args["memory"] == changed
    assert (result.memory, 0 <= result.score <= 1) == (changed, True)
    assert deleted == {"memory_id": memory.id}
    assert fired["search_failed"][0].args["query"] == "unheard of"
    assert fired["cache_hit"][0].args == fired["cache_updated"][0].args


@pytest.mark.parametrize("hook", ["memory_created", "memory_updated", "memory_retrieved", "memory_deleted"])
def test_an_event_of_a_memory_has_the_memorys_user_project_and_session(hook: str, fired: Fired) -> None:
    event = fired[hook][0]

    assert (event.user_id, event.project, event.session_id) == ("local", "ops", "monday")
    assert event.grant is not None


def test_a_servers_life_begins_and_ends_with_an_event_each(fired: Fired) -> None:
    [started], [stopped] = fired["server_started"], fired["server_stopped"]
    others = [event.id for hook, events in fired.items() if not hook.startswith("server_") for event in events]

    assert started.id < min(others)
    assert stopped.id > max(others)


def test_a_lambdas_cold_start_is_a_start_and_its_end_is_not_known(
    environment: dict[str, str], stack: AwsStack, queue_url: str
) -> None:
    assert environment
    with api_over_lambda() as api:
        api.get("/health")
        after_one = received(stack, queue_url)
        api.get("/health")
    after_two = received(stack, queue_url)

    assert {hook: len(events) for hook, events in after_one.items()} == {"server_started": 1}
    assert after_two == {}


@pytest.mark.parametrize("hook", SIGNATURES)
def test_a_hook_has_its_place_in_the_reference(hook: str) -> None:
    lines = (DOCS / "hooks.md").read_text().splitlines()

    assert f"### {hook}" in lines
    assert f"`{CATALOGUE[hook].signature}`" in lines[lines.index(f"### {hook}") :]


def test_a_context_has_the_documented_keys_and_no_others() -> None:
    page = (DOCS / "context.md").read_text()

    assert Context.__annotations__.keys() == CONTEXT
    assert [key for key in sorted(CONTEXT) if f"| `{key}` |" not in page] == []
