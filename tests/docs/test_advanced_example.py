"""The SQL of the advanced example does in PostgreSQL what its fakes were told that it does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from plugin_kit.context import Context
from plugin_kit.loader import load
from plugin_kit.models import Memory
from plugin_kit.testing import fire, fire_endpoint, make_context
from tests.docs.pages import REPOSITORY
from tests.fixtures.plugin_database import PostgresDatabaseService, empty_schema
from tests.fixtures.postgres import TestDatabase

plugin = load("advanced_plugin", REPOSITORY / "docs" / "examples" / "advanced_plugin")
MEMORY = Memory(id="1", content="...", project="team")


@pytest.fixture
async def service(database: TestDatabase) -> AsyncIterator[PostgresDatabaseService]:
    async with empty_schema(database, "advanced_plugin") as service:
        await plugin.initialize(make_context(database_service=service))
        yield service


def context(service: PostgresDatabaseService, number: int, occurred_at: str = "2026-11-22T12:00:00+00:00") -> Context:
    metadata = {"event_id": f"01890a5d-ac96-774b-bcce-{number:012}", "occurred_at": occurred_at}
    config = {"config": {"keep_days": 30}}
    return make_context(
        plugin_name="advanced_plugin", database_service=service, metadata=metadata, server_config=config
    )


async def test_each_event_counts_once_for_its_project_and_its_user(service: PostgresDatabaseService) -> None:
    for number in (1, 2, 1):
        await fire(plugin, "memory_created", MEMORY, context=context(service, number))
    another: Context = {**context(service, 3), "user_id": "another"}
    await fire(plugin, "memory_created", MEMORY, context=another)

    answer = await fire_endpoint(plugin, "GET", "/projects/team", context=context(service, 4))

    assert answer.body == {"project": "team", "memories": 2, "latest_at": "2026-11-22 12:00:00+00"}
    assert (await fire_endpoint(plugin, "GET", "/projects/none", context=context(service, 4))).status == 404


async def test_entries_older_than_its_config_says_are_forgotten(service: PostgresDatabaseService) -> None:
    await fire(plugin, "memory_created", MEMORY, context=context(service, 1, "2020-01-01T00:00:00+00:00"))
    await service.execute("INSERT INTO journal VALUES (gen_random_uuid(), 'local', 'team', now())")
    await plugin.forget_old_entries(context(service, 2))
    assert await service.query("SELECT count(*) AS kept FROM journal") == [{"kept": 1}]
