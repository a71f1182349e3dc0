"""Exports of all that is a user's: asked for, looked at, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from memory_server.domain.errors import OutsideProject
from memory_server.domain.events import new_id
from memory_server.domain.exports import DataExport
from memory_server.domain.principals import Principal
from memory_server.services.export_ports import ExportFiles
from memory_server.services.ports import Clock, Database
from memory_server.services.transfer_ports import TransferFunction
from memory_server.services.transfer_requests import ExportRequest

LINK_LIFETIME: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Download:
    """Where a file is to be had, and until when."""

    url: str
    expires_at: datetime


class DataExports:
    """A user's exports. Every method may raise Unavailable, and OutsideProject for a credential of one project."""

    def __init__(self, database: Database, function: TransferFunction, files: ExportFiles, clock: Clock) -> None:
        self._database = database
        self._function = function
        self._files = files
        self._clock = clock

    async def begin(self, principal: Principal) -> DataExport:
        """Begin an export and return it; where one is running, return that one."""
        _refuse_project(principal)
        export_id = new_id()
        async with self._database.transaction(principal) as unit:
            export = await unit.exports.add(export_id)
        if export.export_id == export_id:
            try:
                await self._function.begin(ExportRequest(user_id=principal.user_id, export_id=export_id))
            except BaseException:
                async with self._database.transaction(principal) as unit:
                    await unit.exports.delete(export_id)
                raise
        return export

    async def get(self, principal: Principal, export_id: str) -> tuple[DataExport, Download | None]:
        """Return an export, and where its file is once that is there.

        Raises:
            ExportNotFound: there is none of this id, or no more.
        """
        _refuse_project(principal)
        async with self._database.transaction(principal) as unit:
            export = await unit.exports.get(export_id)
        now = self._clock.now()
        if export.status(now) != "done":
            return export, None
        until = min(now + LINK_LIFETIME, export.expires_at)
        seconds = max(1, int((until - now).total_seconds()))
        return export, Download(await self._files.link(principal.user_id, export_id, seconds=seconds), until)

    async def list(self, principal: Principal) -> Sequence[DataExport]:
        """Return the exports that are there, newest first."""
        _refuse_project(principal)
        async with self._database.transaction(principal) as unit:
            return await unit.exports.list()

    async def delete(self, principal: Principal, export_id: str) -> None:
        """Remove an export and its file; one that is running ends.

        Raises:
            ExportNotFound: there is none of this id, or no more.
        """
        _refuse_project(principal)
        async with self._database.transaction(principal) as unit:
            await unit.exports.get(export_id)
        await self._files.delete(principal.user_id, export_id)
        async with self._database.transaction(principal) as unit:
            await unit.exports.delete(export_id)


def _refuse_project(principal: Principal) -> None:
    if principal.project is not None:
        raise OutsideProject(principal.project)
