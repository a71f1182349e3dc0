"""The advanced plugin writes its journal, answers from it, and forgets what is old."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_kit.loader import load
from plugin_kit.models import Memory
from plugin_kit.testing import FakeDatabaseService, PluginService, fire, fire_endpoint, make_context

FOLDER = Path(__file__).parent
plugin = load(FOLDER.name, FOLDER)


@pytest.mark.asyncio
async def test_a_new_memory_is_written_under_the_id_of_its_event() -> None:
    database = FakeDatabaseService()
    context = make_context(plugin_name=FOLDER.name, database_service=database)
    await fire(plugin, "memory_created", Memory(id="1", content="...", project="team"), context=context)
    (statement,) = database.statements
    assert statement.parameters == (
        context["metadata"]["event_id"],
        "local",
        "team",
        context["metadata"]["occurred_at"],
    )


@pytest.mark.asyncio
async def test_the_endpoint_answers_what_the_journal_says() -> None:
    database = FakeDatabaseService(answers=[[{"memories": 2, "latest_at": "2026-11-22 12:00:00+00"}]])
    context = make_context(plugin_name=FOLDER.name, database_service=database)
    response = await fire_endpoint(plugin, "GET", "/projects/team", context=context)
    assert response.body == {"project": "team", "memories": 2, "latest_at": "2026-11-22 12:00:00+00"}


@pytest.mark.asyncio
async def test_a_project_that_no_one_has_seen_is_not_found() -> None:
    database = FakeDatabaseService(answers=[[{"memories": 0, "latest_at": None}]])
    context = make_context(plugin_name=FOLDER.name, database_service=database)
    assert (await fire_endpoint(plugin, "GET", "/projects/nobody", context=context)).status == 404


@pytest.mark.asyncio
async def test_its_table_is_made_at_the_start_and_old_entries_go_after_the_days_of_its_config() -> None:
    service = PluginService({"plugins": {"plugins": [str(FOLDER)]}})
    await service.initialize()
    loaded = service.loaded_plugins["advanced_plugin"]
    await loaded.call("forget_old_entries")
    database = loaded.context["database_service"]
    assert isinstance(database, FakeDatabaseService)
    made, forgot = database.statements
    assert "CREATE TABLE IF NOT EXISTS journal" in made.sql
    assert forgot.parameters == (90,)
