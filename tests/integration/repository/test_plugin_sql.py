"""A plugin's SQL runs as the plugin's own role, in its own schema, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.errors import InvalidRequest
from memory_server.domain.memories import MemoryDraft
from memory_server.domain.principals import LOCAL
from memory_server.repository.database import PostgresDatabase
from memory_server.repository.plugin_schemas import PostgresPluginSchemas
from memory_server.repository.plugin_sql import PostgresPluginSql
from tests.fixtures.postgres import TestDatabase
from tests.integration.repository.conftest import MODEL, vector


@pytest.fixture
async def schemas(database: TestDatabase) -> PostgresPluginSchemas:
    return PostgresPluginSchemas(database.administrator, server_secret=database.server_secret)


def environment(database: TestDatabase) -> PostgresPluginSql:
    """What one environment of the gateway has."""
    return PostgresPluginSql(database.host, database.port, database.name, server_secret=database.server_secret)


@pytest.fixture
async def sql(
    database: TestDatabase, schemas: PostgresPluginSchemas, plugin_id: str
) -> AsyncIterator[PostgresPluginSql]:
    """SQL for the plugins of the test; ``plugin_id`` has its schema already."""
    await schemas.create(plugin_id)
    service = environment(database)
    yield service
    await service.close()
    await schemas.drop(plugin_id)


async def test_a_plugin_keeps_rows_in_its_own_schema(sql: PostgresPluginSql, plugin_id: str) -> None:
    await sql.execute(plugin_id, "CREATE TABLE counts (day date PRIMARY KEY, number int)", [], read_only=False)
    insert = "INSERT INTO counts VALUES (%s, %s) RETURNING *"
    assert await sql.execute(plugin_id, insert, ["2026-11-22", 3], read_only=False) == [
        {"day": "2026-11-22", "number": 3}
    ]
    found = await sql.execute(
        plugin_id, "SELECT schemaname FROM pg_tables WHERE tablename = 'counts'", [], read_only=True
    )
    assert found == [{"schemaname": f"plugin_{plugin_id}"}]


async def test_values_come_back_as_json(sql: PostgresPluginSql, plugin_id: str) -> None:
    query = """SELECT 1.5::numeric AS part, 12345678901234567890::numeric AS whole, 'NaN'::float8 AS nan,
        '2026-11-22 10:00+02'::timestamptz AS moment, '01a20000-0000-7000-8000-000000000000'::uuid AS id,
        ARRAY['a', NULL] AS list, '{"a": [1.5, null]}'::jsonb AS object, '\\x00ff'::bytea AS bytes,
        '2 days'::interval AS span, NULL AS nothing, %s::jsonb AS given, %s::int[] AS numbers, 'a%%' AS percent"""
    [row] = await sql.execute(plugin_id, query, [{"k": 1}, [1, 2]], read_only=True)
    assert row == {
        "part": 1.5,
        "whole": 12345678901234567890,
        "nan": "nan",
        "moment": "2026-11-22T08:00:00+00:00",
        "id": "01a20000-0000-7000-8000-000000000000",
        "list": ["a", None],
        "object": {"a": [1.5, None]},
        "bytes": "\\x00ff",
        "span": "2 days, 0:00:00",
        "nothing": None,
        "given": {"k": 1},
        "numbers": [1, 2],
        "percent": "a%",
    }


async def test_a_statement_without_parameters_may_hold_percent_signs(sql: PostgresPluginSql, plugin_id: str) -> None:
    assert await sql.execute(plugin_id, "SELECT 'abc' LIKE 'a%' AS yes", [], read_only=True) == [{"yes": True}]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT content FROM public.memories", "permission denied"),
        ("SELECT event FROM public.outbox", "permission denied"),
        ("INSERT INTO public.memories (id) VALUES (uuidv7())", "permission denied"),
        ("SELECT public.keyword_matches('a', '{}', 1)", "permission denied"),
        ("SET ROLE memory_app", "permission denied to set role"),
        ("SET ROLE postgres", "permission denied to set role"),
        ("SET SESSION AUTHORIZATION memory_app", "permission denied to set session authorization"),
        ("CREATE TABLE public.mine (n int)", "permission denied"),
        ("CREATE SCHEMA mine", "permission denied"),
        ("CREATE ROLE mine", "permission denied to create role"),
        ("CREATE TEMP TABLE mine (n int)", "permission denied to create temporary tables"),
        ("CREATE EXTENSION dblink", "permission denied"),
        ("COPY (SELECT 1) TO PROGRAM 'true'", "permission denied to COPY to or from an external program"),
        ("SELECT pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"),
        ("SELECT rolpassword FROM pg_authid", "permission denied"),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands into a prepared statement"),
        ("SELEC 1", "syntax error"),
        ("COPY (SELECT 1) TO STDOUT", "COPY cannot be used"),
        ("SELECT %s", "syntax error"),
        ("SELECT 1/0", "division by zero"),
        ("SELECT pg_sleep(60)", "took over 5 s"),
        ("DO $$ BEGIN SET statement_timeout = 0; PERFORM pg_sleep(60); END $$", "took over 5 s"),
        ("SELECT generate_series(1, 10001)", "over 10000 rows or 4 MB"),
        ("SELECT repeat('x', 5000000)", "over 10000 rows or 4 MB"),
        ("SELECT count(*) FROM generate_series(1, 10)", None),
    ],
)
async def test_what_a_plugin_may_not_do_is_refused_with_a_reason(
    sql: PostgresPluginSql, plugin_id: str, statement: str, message: str | None
) -> None:
    if message is not None:
        with pytest.raises(InvalidRequest, match=message):
            await sql.execute(plugin_id, statement, [], read_only=False)
    # Whatever it was, the next call works.
    assert await sql.execute(plugin_id, "SELECT 1 AS one", [], read_only=True) == [{"one": 1}]


async def test_parameters_that_do_not_fit_the_placeholders_are_refused(sql: PostgresPluginSql, plugin_id: str) -> None:
    with pytest.raises(InvalidRequest, match="0 placeholders but 1 parameters"):
        await sql.execute(plugin_id, "SELECT 1", [5], read_only=True)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO kept VALUES (1)",
        "DO $$ BEGIN SET TRANSACTION READ WRITE; INSERT INTO kept VALUES (1); END $$",
        "DO $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true); INSERT INTO kept VALUES (1); END $$",
    ],
)
async def test_a_query_changes_nothing(sql: PostgresPluginSql, plugin_id: str, statement: str) -> None:
    await sql.execute(plugin_id, "CREATE TABLE kept (n int)", [], read_only=False)
    with pytest.raises(InvalidRequest, match="read-"):
        await sql.execute(plugin_id, statement, [], read_only=True)
    assert await sql.execute(plugin_id, "SELECT * FROM kept", [], read_only=True) == []


async def test_a_plugin_cannot_see_what_another_stored(
    sql: PostgresPluginSql, schemas: PostgresPluginSchemas, plugin_id: str
) -> None:
    other = f"{plugin_id}_other"
    await schemas.create(other)
    await sql.execute(other, "CREATE TABLE secrets AS SELECT 42 AS n", [], read_only=False)
    for statement in (f"TABLE plugin_{other}.secrets", f"CREATE TABLE plugin_{other}.mine (n int)"):
        with pytest.raises(InvalidRequest, match="permission denied for schema"):
            await sql.execute(plugin_id, statement, [], read_only=False)
    await schemas.drop(other)


async def test_what_one_call_did_to_the_session_is_gone_in_the_next(sql: PostgresPluginSql, plugin_id: str) -> None:
    for statement in ("SET search_path = pg_catalog", "SELECT pg_advisory_lock(7)", "COMMIT", "ROLLBACK", "BEGIN"):
        await sql.execute(plugin_id, statement, [], read_only=False)
    query = "SELECT current_schema AS path, count(*) AS locks FROM pg_locks WHERE locktype = 'advisory'"
    assert await sql.execute(plugin_id, query, [], read_only=True) == [{"path": f"plugin_{plugin_id}", "locks": 0}]


async def test_rows_are_kept_when_the_plugin_is_registered_again_and_go_when_it_is_dropped(
    sql: PostgresPluginSql, schemas: PostgresPluginSchemas, plugin_id: str, admin: AsyncConnection[TupleRow]
) -> None:
    await sql.execute(plugin_id, "CREATE TABLE kept AS SELECT 1 AS n", [], read_only=False)
    await schemas.create(plugin_id)
    assert await sql.execute(plugin_id, "SELECT n FROM kept", [], read_only=True) == [{"n": 1}]
    await schemas.drop(plugin_id)
    await schemas.drop(plugin_id)
    cursor = await admin.execute("SELECT FROM pg_namespace WHERE nspname = %s", [f"plugin_{plugin_id}"])
    assert await cursor.fetchone() is None


async def test_a_superfluous_setting_of_the_role_gives_no_access_to_memories(
    sql: PostgresPluginSql, plugin_id: str, memory_database: PostgresDatabase
) -> None:
    async with memory_database.transaction(LOCAL) as unit:
        await unit.memories.add([MemoryDraft(content="private")], {0: vector(0)}, MODEL)
    with pytest.raises(InvalidRequest, match="permission denied"):
        await sql.execute(
            plugin_id,
            "WITH me AS (SELECT set_config('app.user_id', 'local', true)) SELECT * FROM me, public.memories",
            [],
            read_only=True,
        )


async def test_an_id_that_is_too_long_for_a_role_is_refused(schemas: PostgresPluginSchemas) -> None:
    with pytest.raises(InvalidRequest, match="too long"):
        await schemas.create("x" * 57)


async def test_connections_of_the_plugins_that_called_longest_ago_are_let_go(
    sql: PostgresPluginSql, schemas: PostgresPluginSchemas, plugin_id: str, admin: AsyncConnection[TupleRow]
) -> None:
    plugins = [f"{plugin_id}_{number}" for number in range(9)]
    for plugin in plugins:
        await schemas.create(plugin)
        await sql.execute(plugin, "SELECT 1", [], read_only=True)
    roles = "SELECT count(DISTINCT usename) FROM pg_stat_activity WHERE starts_with(usename, %s)"
    async with asyncio.timeout(5):  # a session that was let go takes a moment to end
        while await (await admin.execute(roles, [f"plugin_{plugin_id}"])).fetchone() != (8,):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    for plugin in plugins:
        await schemas.drop(plugin)


@pytest.mark.usefixtures("sql")
async def test_however_many_environments_there_are_each_gets_its_turn(database: TestDatabase, plugin_id: str) -> None:
    environments = [environment(database) for _ in range(30)]
    for each in environments:
        assert await each.execute(plugin_id, "SELECT 1 AS n", [], read_only=True) == [{"n": 1}]
    query = "SELECT 1 AS n FROM pg_sleep(0.05)"
    answers = await asyncio.gather(*(each.execute(plugin_id, query, [], read_only=True) for each in environments))
    assert answers == [[{"n": 1}]] * len(environments)
    for each in environments:
        await each.close()


async def test_a_connection_that_died_while_nobody_called_is_replaced(
    sql: PostgresPluginSql, plugin_id: str, admin: AsyncConnection[TupleRow]
) -> None:
    [before] = await sql.execute(plugin_id, "SELECT pg_backend_pid() AS pid", [], read_only=True)
    [again] = await sql.execute(plugin_id, "SELECT pg_backend_pid() AS pid", [], read_only=True)
    assert again == before
    await admin.execute("SELECT pg_terminate_backend(%s, 1000)", [before["pid"]])
    [after] = await sql.execute(plugin_id, "SELECT pg_backend_pid() AS pid", [], read_only=True)
    assert after != before
