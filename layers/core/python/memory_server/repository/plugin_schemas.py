"""A plugin's own place in the database: a role that may do nothing elsewhere, and a schema that the role owns."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from memory_server.domain.errors import InvalidRequest
from memory_server.domain.passwords import role_password
from memory_server.repository.administration import Administrator
from memory_server.repository.plugin_connections import MAX_CONNECTIONS
from memory_server.repository.roles import PLUGIN_PREFIX, make_role, set_password

_MAX_NAME_BYTES: Final = 63  # PostgreSQL cuts longer names, and then two plugins could meet in one
_SESSION: Final = {"timezone": "UTC", "statement_timeout": "5s", "idle_in_transaction_session_timeout": "15s"}


def plugin_role(plugin_id: str) -> str:
    """Return the name of the plugin's role, which is the name of its schema too.

    Raises:
        InvalidRequest: the id is too long to name a role.
    """
    role = f"{PLUGIN_PREFIX}{plugin_id}"
    if len(role.encode()) > _MAX_NAME_BYTES:
        limit = _MAX_NAME_BYTES - len(PLUGIN_PREFIX)
        raise InvalidRequest.of("plugin_id", f"{plugin_id!r} is too long for a plugin with a database: at most {limit}")
    return role


class PostgresPluginSchemas:
    """Implements ports.PluginSchemas."""

    def __init__(self, administrator: Administrator, *, server_secret: str) -> None:
        self._administrator = administrator
        self._secret = server_secret

    async def create(self, plugin_id: str) -> None:
        """Make the plugin's role and schema, or set the role's password and settings again; data stays as it is."""
        name = plugin_role(plugin_id)
        role = sql.Identifier(name)
        async with self._administrator.connect() as connection, connection.transaction():
            await make_role(connection, name, login=True)
            await set_password(connection, name, role_password(self._secret, name))
            await connection.execute(
                sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(role, sql.Literal(MAX_CONNECTIONS))
            )
            for setting, value in {**_SESSION, "search_path": name}.items():
                await connection.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(setting), sql.Literal(value))
                )
            database = sql.Identifier(self._administrator.name)
            await connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
            await connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
            await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(role, role))

    async def drop(self, plugin_id: str) -> None:
        """Remove the plugin's role and all that it stored; what is not there is removed already."""
        name = plugin_role(plugin_id)
        role = sql.Identifier(name)
        async with self._administrator.connect() as connection, connection.transaction():
            cursor = await connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
            if await cursor.fetchone() is None:
                return
            await connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
            await connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
            await connection.execute(sql.SQL("DROP ROLE {}").format(role))
