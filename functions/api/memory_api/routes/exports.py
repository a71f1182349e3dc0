"""Exports of all that is a user's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from memory_api.auth import MemoryReader
from memory_api.dependencies import DataExports
from memory_api.problems import problems
from memory_api.schemas.me import ExportList, ExportOut, ExportWithFile

router = APIRouter(prefix="/me/exports", tags=["me"])

ExportId: TypeAlias = Annotated[UUID, Path(examples=["019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"])]
_LOCATION: Final = {"Location": {"description": "The export's path.", "schema": {"type": "string"}}}


@router.post("", status_code=202, responses={202: {"headers": _LOCATION}, **problems(422, 503)})
async def begin_export(caller: MemoryReader, request: Request, response: Response, exports: DataExports) -> ExportOut:
    """Export all that the server and its plugins have of the user, into one ZIP file of JSON Lines.

    It is written after the answer; ask for its Location until it is done. While one is written, no other is begun.
    """
    request.state.audited = True
    export = await exports.begin(caller)
    response.headers["Location"] = f"/me/exports/{export.export_id}"
    return ExportOut.of(export, datetime.now(UTC))


@router.get("", responses=problems(422, 503))
async def list_exports(caller: MemoryReader, exports: DataExports) -> ExportList:
    """List the user's exports, newest first. Each is kept for a day."""
    now = datetime.now(UTC)
    return ExportList(exports=[ExportOut.of(export, now) for export in await exports.list(caller)])


@router.get("/{export_id}", responses=problems(404, 422, 503))
async def get_export(
    export_id: ExportId, caller: MemoryReader, request: Request, exports: DataExports
) -> ExportWithFile:
    """Show how an export stands. Once it is done, download.url gives the file to whoever has it, for an hour."""
    request.state.audited = True
    export, download = await exports.get(caller, str(export_id))
    return ExportWithFile.with_file(export, download, datetime.now(UTC))


@router.delete("/{export_id}", status_code=204, responses=problems(404, 422, 503))
async def delete_export(export_id: ExportId, caller: MemoryReader, exports: DataExports) -> None:
    """Remove an export and its file; one that is still written ends."""
    await exports.delete(caller, str(export_id))
