"""A plugin's SQL reaches the plugin's own schema alone, and cannot become anybody else."""

from __future__ import annotations

from tests.integration.gateway.conftest import Plugin, error_of

Plugins = tuple[Plugin, Plugin]


def test_a_plugin_keeps_its_own_tables_and_reads_them_back(plugins_with_schemas: Plugins) -> None:
    plugin, _ = plugins_with_schemas
    plugin.ok("database.execute", sql="CREATE TABLE counts (day text PRIMARY KEY, total int)")
    inserted = plugin.ok(
        "database.execute",
        sql="INSERT INTO counts VALUES (%s, %s) RETURNING total",
        parameters=["2026-11-22", 3],
    )
    assert inserted == [{"total": 3}]
    rows = plugin.ok(
        "database.query", sql="SELECT day, total FROM counts WHERE day = ANY(%s)", parameters=[["2026-11-22"]]
    )
    assert rows == [{"day": "2026-11-22", "total": 3}]


def test_two_plugins_do_not_see_each_other_s_tables(plugins_with_schemas: Plugins) -> None:
    one, two = plugins_with_schemas
    one.ok("database.execute", sql="CREATE TABLE own (secret text)")
    assert 'relation "own" does not exist' in two.failed("database.query", sql="SELECT * FROM own")
    for operation in ("database.query", "database.execute"):
        message = two.failed(operation, sql="SELECT * FROM plugin_gateway_one.own")
        assert "permission denied for schema plugin_gateway_one" in message


def test_a_query_cannot_write(plugins_with_schemas: Plugins) -> None:
    plugin, _ = plugins_with_schemas
    message = plugin.failed("database.query", sql="CREATE TABLE sly (a int)")
    assert "read-only transaction" in message


def test_no_statement_makes_the_plugin_anybody_else(plugins_with_schemas: Plugins) -> None:
    plugin, _ = plugins_with_schemas
    for attempt in (
        "RESET ROLE",
        "RESET SESSION AUTHORIZATION",
        "SET ROLE memory_app",
        "SET ROLE memory_owner",
        "SELECT set_config('role', 'memory_owner', false)",
        "SELECT set_config('app.user_id', 'ana', false)",
    ):
        plugin.call("database.execute", sql=attempt)
        assert plugin.ok("database.query", sql="SELECT current_user AS who, session_user AS login") == [
            {"who": "plugin_gateway_one", "login": "plugin_gateway_one"}
        ]
        assert "permission denied" in plugin.failed("database.query", sql="SELECT * FROM public.memories")
        assert "permission denied" in plugin.failed("database.query", sql="SELECT * FROM public.outbox")


def test_an_answer_of_more_than_lambda_can_carry_is_refused_with_a_way_out(plugins_with_schemas: Plugins) -> None:
    plugin, _ = plugins_with_schemas
    message = error_of("AnswerTooLarge", plugin.call("database.query", sql="SELECT repeat('x', 7000000) AS long"))
    assert "ask for less" in message
