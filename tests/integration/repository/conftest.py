"""What the tests of the repository share."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.passwords import role_password
from memory_server.repository.database import PostgresDatabase
from tests.fixtures.postgres import TestDatabase

MODEL = "test-model"


def vector(angle: float) -> list[float]:
    """Return a unit vector; the cosine of two is that of the difference of their angles (in radians)."""
    return [math.cos(angle), math.sin(angle), *[0.0] * 382]


@pytest.fixture
async def memory_database(database: TestDatabase) -> AsyncIterator[PostgresDatabase]:
    """The database as the server uses it."""
    password = role_password(database.server_secret, "memory_app")
    server = PostgresDatabase(database.host, database.port, database.name, password, pool_size=4)
    yield server
    await server.close()


@pytest.fixture
async def admin(database: TestDatabase) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """The administrator's connection, which row-level security does not confine."""
    async with await AsyncConnection[TupleRow].connect(database.admin_dsn, autocommit=True) as connection:
        yield connection


_plugins = itertools.count(1)


@pytest.fixture
def plugin_id() -> str:
    """An id of the test's own: roles are shared by all databases of the server."""
    return f"sample_{next(_plugins)}"
