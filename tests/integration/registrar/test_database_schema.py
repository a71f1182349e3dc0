"""The database is made ready with the stack, and never removed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from memory_server.domain.passwords import role_password
from memory_server.domain.principals import LOCAL
from memory_server.repository import roles
from memory_server.repository.database import PostgresDatabase
from tests.fixtures.postgres import SERVER_SECRET
from tests.integration.registrar.conftest import World

NAME = "registrar_fresh"


@pytest.fixture
def fresh_name(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a database that is not there yet."""
    monkeypatch.setenv("DATABASE_NAME", NAME)
    yield NAME
    with psycopg.connect(world.database.admin_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))


async def _count_memories(world: World, name: str) -> int:
    password = role_password(SERVER_SECRET, roles.APP)
    database = PostgresDatabase(world.database.host, world.database.port, name, password)
    async with database.transaction(LOCAL) as unit:
        ids = await unit.memories.match_ids(["01a20000-0000-7000-8000-000000000000"], None)
    await database.close()
    return len(ids)


def test_after_creation_and_each_update_the_server_can_log_in_and_find_its_tables(
    world: World, fresh_name: str
) -> None:
    for kind, physical_id in (("Create", None), ("Update", "database-schema")):
        answer = world.send(kind, "Custom::DatabaseSchema", physical_id, LayerArn="layer:1")
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "database-schema")
        assert asyncio.run(_count_memories(world, fresh_name)) == 0


def test_a_deleted_stack_leaves_the_memories_where_they_are(world: World, fresh_name: str) -> None:
    world.send("Create", "Custom::DatabaseSchema")
    assert world.send("Delete", "Custom::DatabaseSchema", "database-schema")["Status"] == "SUCCESS"
    assert asyncio.run(_count_memories(world, fresh_name)) == 0


def test_a_database_that_does_not_answer_fails_the_deployment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PORT", "1")
    answer = world.send("Create", "Custom::DatabaseSchema")
    assert answer["Status"] == "FAILED"
    assert "the database does not answer" in str(answer["Reason"])
