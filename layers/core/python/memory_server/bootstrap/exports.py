"""What users ask for exports of all that is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.repository.database import PostgresDatabase
    from memory_server.services.exports import DataExports


def data_exports(settings: Settings, clients: Clients, database: PostgresDatabase) -> DataExports:
    """Return what begins exports, which the function of bulk transfers writes."""
    from memory_server.adapters.lambda_transfer_function import LambdaTransferFunction
    from memory_server.adapters.s3_exports import S3ExportFiles
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.exports import DataExports

    return DataExports(
        database,
        LambdaTransferFunction(clients.functions, settings.require("bulk_transfer_function")),
        S3ExportFiles(clients.s3, settings.require("files_bucket")),
        SystemClock(),
    )
