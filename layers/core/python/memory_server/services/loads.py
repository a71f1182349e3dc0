"""Loads: memories of a plugin's files, all stored in one transaction or none."""

from __future__ import annotations

import logging
from typing import Final

from memory_server.domain.errors import InvalidRequest, MemoryServerError
from memory_server.domain.events import new_id
from memory_server.services.plugin_tasks import PluginTasks
from memory_server.services.ports import Embedder
from memory_server.services.transfer_lines import line_reader
from memory_server.services.transfer_ports import LoadTarget, PartFiles, Staging
from memory_server.services.transfer_requests import LoadRequest
from plugin_kit.json_types import JsonObject, JsonValue

EMBEDDED_AT_ONCE: Final = 64

logger = logging.getLogger(__name__)


class BadLine(Exception):
    """A line of a load, or a part as a whole, cannot be stored: ``fault`` is what the plugin is told."""

    def __init__(self, message: str, part: str, line: int | None) -> None:
        place = f"part {part}" if line is None else f"part {part}, line {line}"
        self.fault: dict[str, JsonValue] = {"message": f"{place}: {message}", "part": part, "line": line}
        super().__init__(self.fault["message"])


class Loads:
    """Does loads, and tells the plugin's task of each."""

    def __init__(self, target: LoadTarget, files: PartFiles, embedder: Embedder, tasks: PluginTasks) -> None:
        self._target = target
        self._files = files
        self._embedder = embedder
        self._tasks = tasks

    async def load(self, request: LoadRequest) -> None:
        """Do the load, and start the task with its outcome, which has the error where nothing was stored.

        Raises:
            Unavailable: the task could not be started.
        """
        caller = request.caller
        try:
            outcome = await self._outcome(request)
        except BadLine as error:
            outcome = _failed(request, error.fault)
        except MemoryServerError as error:
            outcome = _failed(request, {"message": str(error), "part": None, "line": None})
        except Exception:
            error_id = new_id()
            logger.exception("the load of plugin %s failed: error %s", caller.plugin_id, error_id)
            message = f"the server failed: its logs tell more of error {error_id}"
            outcome = _failed(request, {"message": message, "part": None, "line": None})
        await self._tasks.answer(caller, {"load": outcome})

    async def _outcome(self, request: LoadRequest) -> JsonObject:
        known = None if request.dry_run else await self._target.outcome(request)
        if known is not None:
            return known
        async with self._target.stage(request) as staging:
            await self._stage(request, staging)
            repeated = await staging.repeated_id()
            if repeated is not None:
                message = f"id: {repeated.id} is on a line before too: leave one of them out"
                raise BadLine(message, request.parts[repeated.part], repeated.line)
            if not request.dry_run:
                async for texts in staging.unembedded(EMBEDDED_AT_ONCE):
                    vectors = await self._embedder.embed(list(texts.values()))
                    await staging.embed(dict(zip(texts, vectors, strict=True)), self._embedder.model_id)
            return {**_failed(request, None), **await staging.apply()}

    async def _stage(self, request: LoadRequest, staging: Staging) -> None:
        read = line_reader(self._embedder.dimensions, self._embedder.model_id, request.project)
        place, caller = 0, request.caller
        async with staging.writer() as write:
            for part, name in enumerate(request.parts):
                number = 0
                try:
                    async for line in self._files.lines(caller, name):
                        number += 1
                        place += 1
                        await write(read(line, place, part, number))
                except InvalidRequest as error:
                    raise BadLine(str(error), name, number or None) from error


def _failed(request: LoadRequest, error: JsonValue) -> dict[str, JsonValue]:
    """Return the outcome of a load that did nothing."""
    return {
        "key": request.key,
        "dry_run": request.dry_run,
        **dict.fromkeys(("created", "updated", "skipped", "unchanged", "versions"), 0),
        "error": error,
    }
