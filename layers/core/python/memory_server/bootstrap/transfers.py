"""What runs in the function of bulk transfers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from memory_server.bootstrap.parts import embedder, erasures, plugin_tasks, quotas, server_secret
from memory_server.bootstrap.sign_in import key_store
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.services.transfers import Transfers


@asynccontextmanager
async def transfers(settings: Settings) -> AsyncGenerator[Transfers]:
    """Give what functions/bulk_transfer runs."""
    from pgvector.psycopg import register_vector_async

    from memory_server.adapters.aws import Clients
    from memory_server.adapters.lambda_transfer_function import LambdaTransferFunction
    from memory_server.adapters.s3_exports import S3ExportFiles, S3UserFileList
    from memory_server.adapters.s3_part_files import S3PartFiles
    from memory_server.repository import roles
    from memory_server.repository.loads import PostgresLoads
    from memory_server.repository.own_data import PostgresOwnData
    from memory_server.repository.pool import RolePool
    from memory_server.repository.snapshots import PostgresSnapshots
    from memory_server.services.export_writing import ExportWriter
    from memory_server.services.loads import Loads
    from memory_server.services.snapshots import Snapshots
    from memory_server.services.transfers import Transfers

    clients = Clients()
    secret = server_secret(settings, clients)
    where = settings.require("database_host"), settings.database_port, settings.database_name
    bucket = settings.require("files_bucket")
    password = secret.role_password(roles.BULK)
    pool = RolePool(
        *where,
        user=roles.BULK,
        password=password,
        size=2,  # an export notes how far it is while it reads
        forgetful=True,
        configure=register_vector_async,
    )
    files = S3PartFiles(clients.s3, bucket, erasures(settings, clients))
    again = LambdaTransferFunction(clients.functions, settings.require("aws_lambda_function_name"))
    tasks = plugin_tasks(settings, clients, secret)
    try:
        yield Transfers(
            Snapshots(PostgresSnapshots(*where, user=roles.BULK, password=password), files, tasks),
            Loads(
                PostgresLoads(pool, quotas(settings)),
                files,
                embedder(settings, clients),
                tasks,
                again,
                embedders=settings.embedders_a_load,
            ),
            ExportWriter(
                PostgresOwnData(pool, where, server_secret=secret.value),
                key_store(settings, clients),
                S3UserFileList(clients.s3, bucket),
                S3ExportFiles(clients.s3, bucket),
            ),
        )
    finally:
        await pool.close()
