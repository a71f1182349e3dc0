"""A desk over an empty schema of real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from plugins.backup_manager import plugin
from tests.fixtures import plugin_database
from tests.fixtures.postgres import TestDatabase
from tests.plugins.backup_manager.desk import Desk


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    async with plugin_database.empty_schema(database, "backup_manager") as sql:
        desk = Desk(sql=sql)
        await plugin.initialize(desk.context())
        yield desk
