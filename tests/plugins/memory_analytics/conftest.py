"""memory_analytics over an empty schema, whose tables are made."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fixtures import plugin_database
from tests.fixtures.plugin_database import PostgresDatabaseService
from tests.fixtures.postgres import TestDatabase
from tests.plugins.memory_analytics.analytics import Analytics


@pytest.fixture
async def empty_schema(database: TestDatabase) -> AsyncIterator[PostgresDatabaseService]:
    async with plugin_database.empty_schema(database, "memory_analytics") as service:
        yield service


@pytest.fixture
async def analytics(empty_schema: PostgresDatabaseService) -> Analytics:
    analytics = Analytics(empty_schema)
    await analytics.initialize()
    return analytics
