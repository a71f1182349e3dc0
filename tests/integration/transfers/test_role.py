"""The role of bulk transfers is as confined as the server's own, and drops no index that anybody needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from memory_server.domain.memories import MemoryDraft
from memory_server.domain.passwords import role_password
from tests.integration.transfers.conftest import Transfers


@pytest.fixture
def bulk(transfers: Transfers) -> Iterator[psycopg.Connection]:
    """A connection of the role, without the function."""
    database = transfers.database
    with psycopg.connect(
        host=database.host, port=database.port, dbname=database.name, autocommit=True,
        user="memory_bulk", password=role_password(database.server_secret, "memory_bulk"),
    ) as connection:  # fmt: skip
        yield connection


@pytest.mark.parametrize("table", ["memories", "memory_versions", "loads", "outbox"])
def test_without_a_user_no_row_is_there_and_with_one_only_the_users(
    transfers: Transfers, bulk: psycopg.Connection, table: LiteralString
) -> None:
    for user in ("ana", "bob"):
        part = transfers.write("a", {"content": user})
        transfers.load(part, user_id=user)
        transfers.load(
            transfers.write("a", {"content": user, "importance": 1}), key="k2", user_id=user, conflict="overwrite"
        )
    query: LiteralString = f"SELECT DISTINCT user_id FROM {table}"  # noqa: S608  # the tables above
    assert bulk.execute(query).fetchall() == []
    bulk.execute("SET app.user_id = 'ana'")
    assert bulk.execute(query).fetchall() == [("ana",)]


def test_no_index_is_dropped_where_somebody_has_memories(transfers: Transfers, bulk: psycopg.Connection) -> None:
    transfers.store(MemoryDraft(content="bob's own"), user_id="bob")
    assert bulk.execute("SELECT drop_search_indexes()").fetchone() == (False,)


@pytest.mark.parametrize(
    "query", ["DROP INDEX memories_embedding", "SELECT user_ids()", "DELETE FROM outbox", "CREATE TABLE own ()"]
)
def test_it_may_do_nothing_else(bulk: psycopg.Connection, query: LiteralString) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bulk.execute(query)
