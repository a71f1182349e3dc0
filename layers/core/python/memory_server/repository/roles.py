"""The database's roles. The administrator makes them; it need not be a superuser (on Aurora it is not)."""

from __future__ import annotations

from typing import Final

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from memory_server.domain.passwords import role_password

OWNER: Final = "memory_owner"
APP: Final = "memory_app"
RELAY: Final = "memory_relay"
BULK: Final = "memory_bulk"
PLUGIN_PREFIX: Final = "plugin_"
"""How the names begin of the roles and schemas of plugins."""

# How each role's sessions begin. Plans are made for the values at hand: a filter that is absent or rare changes them.
# An HNSW scan goes on until enough rows of the user are found.
_SESSION: Final = {
    APP: {
        "timezone": "UTC",
        "statement_timeout": "20s",
        "idle_in_transaction_session_timeout": "60s",
        "plan_cache_mode": "force_custom_plan",
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.ef_search": "100",
    },
    # Its statements work on all memories of a user; what loads leave in temporary tables ends with the session.
    BULK: {
        "timezone": "UTC",
        "statement_timeout": "840s",
        "idle_in_transaction_session_timeout": "600s",
        "plan_cache_mode": "force_custom_plan",
        "work_mem": "32MB",
        "temp_buffers": "32MB",
        "maintenance_work_mem": "256MB",
    },
    RELAY: {"timezone": "UTC", "statement_timeout": "20s", "idle_in_transaction_session_timeout": "300s"},
}


async def make_roles(connection: AsyncConnection[TupleRow], secret: str) -> None:
    """Make the server's roles, or set their passwords and settings again, and let them into this database."""
    await make_role(connection, OWNER, login=False)
    await connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    await connection.execute("SELECT '[0]'::vector")  # loads pgvector: only then are its settings known
    for role, settings in _SESSION.items():
        await make_role(connection, role, login=True)
        await set_password(connection, role, role_password(secret, role))
        for name, value in settings.items():
            await connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    sql.Identifier(role), sql.Identifier(*name.split(".")), value
                )
            )
    await _let_in_plugins(connection, secret)
    await _close_database(connection)


async def make_role(connection: AsyncConnection[TupleRow], role: str, *, login: bool) -> None:
    """Make ``role``, with nothing but the right to log in where ``login`` is true; it may be there already."""
    query = "SELECT FROM pg_roles WHERE rolname = %s"
    if (await (await connection.execute(query, [role])).fetchone()) is None:
        await connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    await connection.execute(
        sql.SQL("ALTER ROLE {} NOINHERIT {}").format(sql.Identifier(role), sql.SQL("LOGIN" if login else "NOLOGIN"))
    )


async def set_password(connection: AsyncConnection[TupleRow], role: str, password: str) -> None:
    """Set the password of ``role``; what travels to the server, and into any log, is its SCRAM verifier alone."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    await connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), verifier))


async def _let_in_plugins(connection: AsyncConnection[TupleRow], secret: str) -> None:
    """Set the passwords of plugins that have a schema: whoever is erased goes from those that are gone, too."""
    query = "SELECT rolname FROM pg_roles JOIN pg_namespace ON nspname = rolname WHERE starts_with(rolname, %s)"
    for (role,) in await (await connection.execute(query, [PLUGIN_PREFIX])).fetchall():
        await set_password(connection, role, role_password(secret, role))


async def _close_database(connection: AsyncConnection[TupleRow]) -> None:
    """Take from PUBLIC what a database gives to every role by default."""
    database = sql.Identifier(connection.info.dbname)
    roles = sql.SQL(", ").join(map(sql.Identifier, (OWNER, APP, RELAY, BULK)))
    await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    await connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, roles))
    await connection.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(database, sql.Identifier(BULK)))
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(roles))
    await connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(OWNER)))
