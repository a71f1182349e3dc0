"""Loads in PostgreSQL: lines are staged in a temporary table, then stored by a few statements in one transaction."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from operator import attrgetter
from typing import Final
from uuid import UUID

from pgvector import HalfVector
from psycopg import sql
from psycopg.errors import IntegrityError, LockNotAvailable
from psycopg.types.json import Jsonb

from memory_server.domain.errors import Unavailable, UserErased
from memory_server.domain.memories import Vector
from memory_server.domain.principals import Principal
from memory_server.domain.quotas import NO_QUOTAS, Quotas
from memory_server.repository.pool import Connection, RolePool
from memory_server.repository.rows import half_vector
from memory_server.repository.sql import statement
from memory_server.repository.usage import QuotaKeeper, usage
from memory_server.services.transfer_ports import BeingLoaded, RepeatedId, StagedLine, Write
from memory_server.services.transfer_requests import LoadRequest
from plugin_kit.envelope import VERSION
from plugin_kit.json_types import JsonObject, dumps

_FIELDS: Final = tuple(field.name for field in fields(StagedLine))
_VALUES: Final = attrgetter(*_FIELDS)
_COLUMNS: Final = tuple("embedding" if name == "vector" else name for name in _FIELDS)
_TYPES: Final = (
    *("int8", "int4", "int4", "uuid", "text", "bytea", "text", "text", "bool", "text", "text[]", "float8", "jsonb"),
    *("timestamptz", "timestamptz", "timestamptz", "bool", "int4", "bool", "timestamptz", "text", "halfvec", "text"),
)
_CLAIM: Final = """
    INSERT INTO loads (user_id, plugin_id, key) VALUES (%(user_id)s, %(plugin_id)s, %(key)s)
    ON CONFLICT DO NOTHING RETURNING key
"""
_OUTCOME: Final = "SELECT outcome FROM loads WHERE plugin_id = %(plugin_id)s AND key = %(key)s"
_REMEMBER: Final = "UPDATE loads SET outcome = %(outcome)s WHERE plugin_id = %(plugin_id)s AND key = %(key)s"
_TEXTS: Final = """
    SELECT staged.content_sha256, staged.content FROM unembedded JOIN staged ON staged.place = unembedded.place
    WHERE unembedded.number > %s AND unembedded.number <= %s
"""
# From here on, making the indexes of searches after the rows pays.
_MANY: Final = 1_000
# What a memory takes of a vector index while that is made, and how much all may take: a small database has 2 GB.
_INDEX_BYTES: Final = 1_500
_MIN_INDEX_BYTES: Final = 256 * 1024 * 1024
_MAX_INDEX_BYTES: Final = 1024 * 1024 * 1024
_ATTEMPTS: Final = 3
# Less than the statement timeout of the role. A connection whose client has died may hold the lock for minutes.
_PATIENCE: Final = "10min"
_PLANNING: Final = ("load_plan", "load_match", "load_twins", "load_actions", "load_unchanged")
STORING: Final = ("load_distinct", "load_keep", "load_update", "load_undelete", "load_create")

logger = logging.getLogger(__name__)


class PostgresLoads:
    """Implements transfer_ports.LoadTarget, by the role memory_bulk."""

    def __init__(self, pool: RolePool, quotas: Quotas = NO_QUOTAS) -> None:
        self._pool = pool
        self._quotas = quotas

    async def outcome(self, request: LoadRequest) -> JsonObject | None:
        async with self._pool.transaction() as connection:
            return await _Load(connection, request, self._quotas).outcome()

    @asynccontextmanager
    async def stage(self, request: LoadRequest) -> AsyncGenerator[PostgresStaging]:
        async with self._pool.session() as connection:
            if not request.dry_run:
                await _lock(connection, request)
            yield PostgresStaging(connection, request, self._quotas)


class PostgresStaging:
    """Implements transfer_ports.Staging, in the temporary tables of one session."""

    def __init__(self, connection: Connection, request: LoadRequest, quotas: Quotas) -> None:
        self._connection = connection
        self._request = request
        self._quotas = quotas

    @asynccontextmanager
    async def writer(self) -> AsyncGenerator[Write]:
        copying = sql.SQL("COPY staged ({}) FROM STDIN (FORMAT binary)").format(
            sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
        )
        async with self._connection.transaction():
            await self._connection.execute(statement("load_stage"))
            async with self._connection.cursor().copy(copying) as copy:
                copy.set_types(_TYPES)

                async def write(line: StagedLine) -> None:
                    await copy.write_row(_row(line))

                yield write
            await self._connection.execute("CREATE INDEX ON staged (place)")
            await self._connection.execute("CREATE INDEX ON staged (content_sha256)")
            await self._connection.execute("ANALYZE staged")

    async def repeated_id(self) -> RepeatedId | None:
        row = await (await self._connection.execute(statement("load_repeated_id"))).fetchone()
        return None if row is None else RepeatedId(row["part"], row["line"], str(row["id"]))

    async def unembedded(self, at_once: int) -> AsyncGenerator[Mapping[bytes, str]]:
        async with self._connection.transaction():
            load = _Load(self._connection, self._request, self._quotas)
            await load.begin()
            await load.plan()
            await load.run("load_unembedded")
        first = 0
        while rows := await (await self._connection.execute(_TEXTS, [first, first + at_once])).fetchall():
            yield {bytes(row["content_sha256"]): str(row["content"]) for row in rows}
            first += at_once

    async def embed(self, vectors: Mapping[bytes, Vector], model_id: str) -> None:
        values = {
            "hashes": list(vectors),
            "vectors": [half_vector(vector) for vector in vectors.values()],
            "model_id": model_id,
        }
        await self._connection.execute(statement("load_embed"), values)

    async def apply(self) -> JsonObject:
        for _ in range(_ATTEMPTS):
            try:
                async with self._connection.transaction():
                    load = _Load(self._connection, self._request, self._quotas)
                    await load.begin()
                    return await (load.tried() if self._request.dry_run else load.stored())
            except IntegrityError:
                logger.warning("memories changed while a load was stored: it is planned again", exc_info=True)
        raise Unavailable("database", retry_after=1)


class _Load:
    """One transaction of a load, whose lines are staged."""

    def __init__(self, connection: Connection, request: LoadRequest, quotas: Quotas) -> None:
        self._connection = connection
        self._request = request
        self._quotas = QuotaKeeper(connection, Principal(request.caller.user_id), quotas)
        self._names: Mapping[str, object] = {
            "user_id": request.caller.user_id,
            "plugin_id": request.caller.plugin_id,
            "key": request.key,
            "conflict": request.conflict,
        }

    async def begin(self) -> None:
        """Let the transaction be the user's. Raises: UserErased: they were erased since the load was caused."""
        await self._connection.execute("SELECT set_config('app.user_id', %(user_id)s, true)", self._names)
        query = "SELECT erased_since(%s) AS erased"
        row = await (await self._connection.execute(query, [self._request.caller.since])).fetchone()
        if row is None or row["erased"]:
            raise UserErased

    async def outcome(self) -> JsonObject | None:
        """Return what became of the load before, None where it never was."""
        row = await (await self._connection.execute(_OUTCOME, self._names)).fetchone()
        return None if row is None else row["outcome"]

    async def plan(self) -> None:
        """Decide for each line of a memory what becomes of it."""
        for name in _PLANNING:
            await self.run(name)

    async def tried(self) -> JsonObject:
        """Return what ``stored`` would, and refuse what it would refuse."""
        await self.plan()
        await self._quotas.foresee("load_foreseen")
        counts = await self._counts()
        return {**counts, "versions": await self._stored_versions(dry_run=True)}

    async def stored(self) -> JsonObject:
        """Store all lines and return the outcome, or that of the load that was before."""
        if not (await self._connection.execute(_CLAIM, self._names)).rowcount:
            return await self.outcome() or {}
        await self.run("load_bury")
        before = await usage(self._connection)
        await self.plan()
        counts = await self._counts()
        dropped = counts["created"] >= _MANY and await self._dropped_indexes()
        for name in STORING:
            await self.run(name)
        versions = await self._stored_versions(dry_run=False)
        added = await usage(self._connection)
        await self._quotas.hold(memories=added.memories - before.memories, size=added.bytes - before.bytes)
        causes = [*self._request.caller.caused_by, self._request.caller.plugin_id]
        metadata = dumps({"bulk": self._request.key, "caused_by": causes})
        await self.run("load_events", envelope=VERSION, metadata=metadata)
        if dropped:
            await self._make_indexes(counts["created"])
        outcome: JsonObject = {"key": self._request.key, **counts, "versions": versions}
        await self._connection.execute(_REMEMBER, {**self._names, "outcome": Jsonb(outcome, dumps)})
        return outcome

    async def run(self, name: str, **parameters: object) -> int:
        """Run the statement ``name``, and return how many rows it touched."""
        return (await self._connection.execute(statement(name), {**self._names, **parameters})).rowcount

    async def _stored_versions(self, *, dry_run: bool) -> int:
        """Store the former versions; a dry run counts them alone."""
        if not dry_run:
            return await self.run("load_versions")
        row = await (await self._connection.execute(statement("load_count_versions"), self._names)).fetchone()
        return 0 if row is None else row["number"]

    async def _counts(self) -> dict[str, int]:
        row = await (await self._connection.execute(statement("load_counts"))).fetchone()
        return {} if row is None else {name: int(number) for name, number in row.items()}

    async def _make_indexes(self, rows: int) -> None:
        """Make the indexes of searches; a vector index that its memory cannot hold takes many times as long."""
        size = min(max(rows * _INDEX_BYTES, _MIN_INDEX_BYTES), _MAX_INDEX_BYTES)
        await self._connection.execute("SELECT set_config('maintenance_work_mem', %s, true)", [f"{size // 1024}kB"])
        await self._connection.execute("SELECT make_search_indexes()")

    async def _dropped_indexes(self) -> bool:
        """Drop the indexes of searches where nobody has memories; return whether they are gone."""
        try:
            async with self._connection.transaction():
                await self._connection.execute("SET LOCAL lock_timeout = '2s'")
                row = await (await self._connection.execute("SELECT drop_search_indexes() AS dropped")).fetchone()
        except LockNotAvailable:
            return False
        return row is not None and bool(row["dropped"])


async def _lock(connection: Connection, request: LoadRequest) -> None:
    """Let nobody else be at this load until the session is over, which forgets its locks. Raises: BeingLoaded."""
    name = f"load {dumps([request.caller.user_id, request.caller.plugin_id, request.key])}"
    await connection.execute("SELECT set_config('lock_timeout', %s, false)", [_PATIENCE])
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
    except LockNotAvailable as error:
        raise BeingLoaded from error
    await connection.execute("RESET lock_timeout")


def _row(line: StagedLine) -> Sequence[object]:
    values: dict[str, object] = dict(zip(_FIELDS, _VALUES(line), strict=True))
    values["id"] = None if line.id is None else UUID(line.id)
    values["tags"] = None if line.tags is None else list(line.tags)
    values["metadata"] = None if line.metadata is None else Jsonb(line.metadata, dumps)
    values["vector"] = None if line.vector is None else HalfVector.from_binary(line.vector)
    return list(values.values())
