"""Connections that log in as a plugin's own role: few are kept, so that there is always one to be had."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from memory_server.domain.passwords import role_password
from memory_server.repository.errors import database_errors
from memory_server.repository.pool import Connection

MAX_CONNECTIONS: Final = 10
"""As many sessions the role of a plugin may have, of all environments of the gateway together."""
_MAX_KEPT_OF_A_ROLE: Final = MAX_CONNECTIONS // 2
_MAX_KEPT_HERE: Final = 8
_PATIENCE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 0.1
_CROWDED: Final = "SELECT count(*) > %s AS crowded FROM pg_stat_activity WHERE usename = current_user"


class PluginConnections:
    """Gives connections as the roles of plugins, and keeps one for each of the roles that called last.

    Each environment of the gateway has one of these, and Lambda starts as many environments as there are calls at once.
    A connection that each of them kept for its next call would soon be all that a role may have, and the call of one
    environment more would wait in vain for sessions that do nothing. So a connection is kept only while the role's
    sessions are few, and otherwise closed after the call.
    """

    def __init__(self, host: str, port: int, name: str, *, server_secret: str) -> None:
        self._where = (host, port, name)
        self._secret = server_secret
        self._kept: OrderedDict[str, Connection] = OrderedDict()

    @asynccontextmanager
    async def transaction(self, role: str) -> AsyncGenerator[Connection]:
        """Give a connection as ``role``, to which nothing was done yet, inside one transaction.

        Raises:
            Unavailable: the database does not answer, or all sessions of the role are busy for some seconds.
        """
        with database_errors():
            connection = await self._take(role) or await self._connect(role)
            try:
                async with connection.transaction():
                    yield connection
            finally:
                await self._give_back(role, connection)

    async def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            await self._kept.popitem()[1].close()

    async def _take(self, role: str) -> Connection | None:
        """Return the connection that is kept for ``role`` if it still works."""
        connection = self._kept.pop(role, None)
        if connection is None:
            return None
        try:
            await connection.execute("")
        except psycopg.OperationalError:
            await connection.close()
            return None
        return connection

    async def _connect(self, role: str) -> Connection:
        host, port, name = self._where
        password = role_password(self._secret, role)
        now = asyncio.get_running_loop().time
        give_up_at = now() + _PATIENCE_SECONDS
        while True:
            try:
                return await AsyncConnection[DictRow].connect(
                    host=host,
                    port=port,
                    dbname=name,
                    user=role,
                    password=password,
                    connect_timeout=int(_PATIENCE_SECONDS),
                    autocommit=True,
                    prepare_threshold=None,
                    row_factory=dict_row,
                )
            except psycopg.OperationalError:
                # All sessions of the role may be busy for a moment. The driver does not tell that from other failures.
                if now() > give_up_at:
                    raise
                await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  # no secret

    async def _give_back(self, role: str, connection: Connection) -> None:
        with suppress(psycopg.Error):
            await connection.execute("DISCARD ALL")
            cursor = await connection.execute(_CROWDED, [_MAX_KEPT_OF_A_ROLE])
            row = await cursor.fetchone()
            if row is not None and not row["crowded"] and role not in self._kept:
                self._kept[role] = connection
                if len(self._kept) > _MAX_KEPT_HERE:
                    _, connection = self._kept.popitem(last=False)
                else:
                    return
        await connection.close()
