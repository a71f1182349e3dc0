"""A user is forgotten, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol, cast

from memory_server.domain.errors import InvalidRequest, KeyNotFound, OutsideProject, Unavailable
from memory_server.domain.principals import Principal
from memory_server.services.delivery_ports import UserDeadLetters
from memory_server.services.key_ports import KeyStore
from memory_server.services.keys import KnownKeys
from memory_server.services.plugin_ports import PluginRegistry, PluginSql
from memory_server.services.ports import Erased, UserData

_TABLES: Final = """
    SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE column_name = 'user_id' AND table_type = 'BASE TABLE' AND table_schema = current_schema()
    ORDER BY name
"""


class Memories(Protocol):
    """The database of memories, and what it knows of plugins."""

    async def erase(self, user_id: str) -> datetime:
        """Delete every row of the user, and return the moment until which all of theirs is of nobody.

        Raises: Unavailable.
        """
        ...

    async def plugin_ids(self) -> Sequence[str]:
        """Return the ids of all plugins that have a schema, registered or not. Raises: Unavailable."""
        ...


class PluginTables:
    """The tables of plugins, as a UserData: rows of a user are those whose column ``user_id`` says so."""

    def __init__(self, memories: Memories, plugin_sql: PluginSql) -> None:
        self._memories = memories
        self._sql = plugin_sql

    async def erase(self, user_id: str) -> None:
        for plugin_id in await self._memories.plugin_ids():
            rows = await self._sql.execute(plugin_id, _TABLES, [], read_only=True)
            await self._erase(plugin_id, [cast(str, row["name"]) for row in rows], user_id)

    async def _erase(self, plugin_id: str, tables: Sequence[str], user_id: str) -> None:
        """Delete from each table; what another refers to goes after that other."""
        left = list(tables)
        while left:
            refused: list[str] = []
            for table in left:
                # The name is PostgreSQL's own quotation, and the role can reach the plugin's schema alone.
                delete = f"DELETE FROM {table} WHERE user_id::text = %s"  # noqa: S608
                try:
                    await self._sql.execute(plugin_id, delete, [user_id], read_only=False)
                except InvalidRequest:
                    refused.append(table)
            if len(refused) == len(left):
                raise Unavailable(f"schema of plugin {plugin_id!r}")
            left = refused


class PluginDeadLetters:
    """The dead letters of all plugins, as a UserData."""

    def __init__(self, registry: PluginRegistry, dead_letters: UserDeadLetters) -> None:
        self._registry = registry
        self._dead_letters = dead_letters

    async def erase(self, user_id: str) -> None:
        for registration in await self._registry.list():
            await self._dead_letters.erase(registration, user_id)


class UserKeys:
    """The API keys of users; ``known`` is what this process remembers of them."""

    def __init__(self, store: KeyStore, known: KnownKeys) -> None:
        self._store = store
        self._known = known

    async def erase(self, principal: Principal) -> None:
        """Remove the keys of the principal, the one that was used last: with it, one can ask again.

        Raises:
            Unavailable: not all are gone.
        """
        keys: list[str] = []
        after: str | None = None
        while True:
            page = await self._store.list(user_id=principal.user_id, after=after, limit=100)
            keys += [key.key_id for key in page.keys]
            if (after := page.next) is None:
                break
        for key_id in sorted(keys, key=lambda key_id: key_id == principal.credential_id):
            with suppress(KeyNotFound):
                await self._store.remove(key_id)
        self._known.forget()


class Erasure:
    """Removes what is a user's.

    The rows of the memories go first, under a lock that waits for what plugins are storing for the user. The moment of
    that is then noted where hosts and functions see it: whatever was caused before it keeps nothing any more. So what
    each of ``places`` has of the user by then is all that it will have. What fails half-way is done again from the
    start.
    """

    def __init__(self, memories: Memories, erased: Erased, places: Sequence[UserData], keys: UserKeys) -> None:
        self._memories = memories
        self._erased = erased
        self._places = places
        self._keys = keys

    async def erase(self, principal: Principal) -> None:
        """Remove all that is the principal's, their API keys last.

        Raises:
            OutsideProject: the credential is for one project, and what would go is not.
            Unavailable: a place does not answer; others may be empty already.
        """
        if principal.project is not None:
            raise OutsideProject(principal.project)
        user_id = principal.user_id
        await self._erased.note(user_id, await self._memories.erase(user_id))
        for place in self._places:
            await place.erase(user_id)
        await self._keys.erase(principal)
