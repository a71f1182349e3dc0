"""A server with some memories of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from plugin_kit.models import Memory
from plugins.export_service import plugin
from tests.fixtures import plugin_database
from tests.fixtures.postgres import TestDatabase
from tests.plugins.export_service.memories import AWKWARD
from tests.plugins.export_service.server import Database, Server

NOON = datetime(2026, 11, 22, 12, 0, 0, 1, tzinfo=UTC)


def some_memories() -> list[Memory]:
    return [
        Memory(
            id=f"019a9c3e-7b52-7c11-9d2f-{number:012}",
            content=text,
            memory_type="decision",
            project=text if number % 2 else None,
            session_id="s",
            tags=("a,b", text),
            importance=number / 100,
            metadata={"nested": {"text": text, "list": [1, 0.1, None, True]}},
            version=number + 1,
            created_at=NOON + timedelta(microseconds=number),
            updated_at=NOON + timedelta(days=1, microseconds=number),
            expires_at=NOON + timedelta(days=4000) if number % 3 else None,
        )
        for number, text in enumerate(AWKWARD)
    ]


@pytest.fixture
async def database(database: TestDatabase) -> AsyncIterator[Database]:
    """The plugin's schema, with its tables."""
    async with plugin_database.empty_schema(database, "export_service") as schema:
        made = Database(schema)
        await plugin.initialize(Server(made).context)
        yield made


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, memories=some_memories())
