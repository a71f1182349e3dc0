"""A user is forgotten, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from memory_server.domain.errors import OutsideProject
from memory_server.domain.principals import Principal
from memory_server.services.plugin_ports import PluginRegistry, PluginSql
from memory_server.services.ports import UserData

_DATABASE: Final = frozenset({"database:read", "database:write"})
_TABLES: Final = """
    SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE column_name = 'user_id' AND table_type = 'BASE TABLE' AND table_schema = current_schema()
    ORDER BY name
"""


class PluginTables:
    """The tables of plugins, as a UserData: rows of a user are those whose column ``user_id`` says so."""

    def __init__(self, registry: PluginRegistry, plugin_sql: PluginSql) -> None:
        self._registry = registry
        self._sql = plugin_sql

    async def erase(self, user_id: str) -> None:
        for plugin in await self._registry.list():
            if _DATABASE.isdisjoint(plugin.permissions):
                continue
            for row in await self._sql.execute(plugin.plugin_id, _TABLES, [], read_only=True):
                # The name is PostgreSQL's own quotation, and the role can reach the plugin's schema alone.
                delete = f"DELETE FROM {cast(str, row['name'])} WHERE user_id::text = %s"  # noqa: S608
                await self._sql.execute(plugin.plugin_id, delete, [user_id], read_only=False)


class Erasure:
    """Removes what is a user's from each of ``places``, in order. What fails half-way is done again from the start."""

    def __init__(self, places: Sequence[UserData]) -> None:
        self._places = places

    async def erase(self, principal: Principal) -> None:
        """Remove all that is the principal's.

        Raises:
            OutsideProject: the credential is for one project, and what would go is not.
            Unavailable: a place does not answer; others may be empty already.
        """
        if principal.project is not None:
            raise OutsideProject(principal.project)
        for place in self._places:
            await place.erase(principal.user_id)
