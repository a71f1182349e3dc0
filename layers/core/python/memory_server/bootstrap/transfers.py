"""What runs in the function of bulk transfers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from memory_server.bootstrap.parts import embedder, erasures, plugin_tasks, server_secret
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.services.transfers import Transfers


@asynccontextmanager
async def transfers(settings: Settings) -> AsyncGenerator[Transfers]:
    """Give what functions/bulk_transfer runs."""
    from pgvector.psycopg import register_vector_async

    from memory_server.adapters.aws import Clients
    from memory_server.adapters.s3_part_files import S3PartFiles
    from memory_server.repository import roles
    from memory_server.repository.loads import PostgresLoads
    from memory_server.repository.pool import RolePool
    from memory_server.repository.snapshots import PostgresSnapshots
    from memory_server.services.loads import Loads
    from memory_server.services.snapshots import Snapshots
    from memory_server.services.transfers import Transfers

    clients = Clients()
    secret = server_secret(settings, clients)
    pool = RolePool(
        settings.require("database_host"),
        settings.database_port,
        settings.database_name,
        user=roles.BULK,
        password=secret.role_password(roles.BULK),
        size=1,
        forgetful=True,
        configure=register_vector_async,
    )
    files = S3PartFiles(clients.s3, settings.require("files_bucket"), erasures(settings, clients))
    tasks = plugin_tasks(settings, clients, secret)
    try:
        yield Transfers(
            Snapshots(PostgresSnapshots(pool), files, tasks),
            Loads(PostgresLoads(pool), files, embedder(settings, clients), tasks),
        )
    finally:
        await pool.close()
