"""The relay on real PostgreSQL and moto."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from memory_server.domain.passwords import role_password
from memory_server.repository import roles
from memory_server.repository.database import PostgresDatabase
from memory_server.repository.pool import RolePool
from memory_server.services.relay import Relay
from tests.fixtures.aws import AwsStack
from tests.fixtures.postgres import TestDatabase
from tests.integration.relay.outbox import make_relay


@pytest.fixture
async def memories(database: TestDatabase) -> AsyncGenerator[PostgresDatabase]:
    password = role_password(database.server_secret, roles.APP)
    memories = PostgresDatabase(database.host, database.port, database.name, password)
    yield memories
    await memories.close()


@pytest.fixture
async def relay_pool(database: TestDatabase) -> AsyncGenerator[RolePool]:
    password = role_password(database.server_secret, roles.RELAY)
    pool = RolePool(database.host, database.port, database.name, user=roles.RELAY, password=password, size=2)
    yield pool
    await pool.close()


@pytest.fixture
def relay(aws: AwsStack, relay_pool: RolePool) -> Relay:
    return make_relay(aws, relay_pool)
