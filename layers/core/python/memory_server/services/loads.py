"""Loads: memories of a plugin's files, all stored in one transaction or none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Final

from memory_server.domain.errors import InvalidRequest, MemoryServerError
from memory_server.domain.events import new_id
from memory_server.domain.memories import Vector
from memory_server.services.load_vectors import LoadVectors
from memory_server.services.plugin_tasks import PluginTasks
from memory_server.services.ports import Embedder
from memory_server.services.transfer_lines import line_reader
from memory_server.services.transfer_ports import BeingLoaded, LoadTarget, PartFiles, Staging, TransferFunction
from memory_server.services.transfer_requests import LoadRequest
from plugin_kit.json_types import JsonObject, JsonValue

EMBEDDED_AT_ONCE: Final = 64
"""So many texts an embedder gets at once."""

logger = logging.getLogger(__name__)


class BadLine(Exception):
    """A line of a load, or a part as a whole, cannot be stored: ``fault`` is what the plugin is told."""

    def __init__(self, message: str, part: str, line: int | None) -> None:
        place = f"part {part}" if line is None else f"part {part}, line {line}"
        self.fault: dict[str, JsonValue] = {"message": f"{place}: {message}", "part": part, "line": line}
        super().__init__(self.fault["message"])


class Loads:
    """Does loads, and tells the plugin's task of each. One that needs vectors keeps so many ``embedders`` busy."""

    def __init__(
        self,
        target: LoadTarget,
        files: PartFiles,
        embedder: Embedder,
        tasks: PluginTasks,
        function: TransferFunction,
        *,
        embedders: int = 1,
    ) -> None:
        self._target = target
        self._files = files
        self._embedder = embedder
        self._tasks = tasks
        self._function = function
        self._at_once = embedders * EMBEDDED_AT_ONCE

    async def load(self, request: LoadRequest, has_time: Callable[[], bool]) -> None:
        """Do the load, and start the task with its outcome, which has the error where nothing was stored.

        Embedding ends where ``has_time`` says so, and another invocation goes on with it.

        Raises:
            Unavailable: the task could not be started, or the other invocation.
        """
        caller = request.caller
        try:
            outcome = await self._outcome(request, has_time)
        except BeingLoaded:
            logger.warning("the load of plugin %s is left to the invocation that is at it", caller.plugin_id)
            return
        except BadLine as error:
            outcome = _failed(request, error.fault)
        except MemoryServerError as error:
            outcome = _failed(request, {"message": str(error), "part": None, "line": None})
        except Exception:
            error_id = new_id()
            logger.exception("the load of plugin %s failed: error %s", caller.plugin_id, error_id)
            message = f"the server failed: its logs tell more of error {error_id}"
            outcome = _failed(request, {"message": message, "part": None, "line": None})
        if outcome is None:
            await self._function.begin(request)
        else:
            await self._tasks.answer(caller, {"load": outcome})

    async def _outcome(self, request: LoadRequest, has_time: Callable[[], bool]) -> JsonObject | None:
        """Return what became of the load, None where it has to go on."""
        async with self._target.stage(request) as staging:
            known = None if request.dry_run else await self._target.outcome(request)
            if known is not None:
                return known
            await self._stage(request, staging)
            repeated = await staging.repeated_id()
            if repeated is not None:
                message = f"id: {repeated.id} is on a line before too: leave one of them out"
                raise BadLine(message, request.parts[repeated.part], repeated.line)
            if not request.dry_run and not await self._embed(request, staging, has_time):
                return None
            return {**_failed(request, None), **await staging.apply()}

    async def _embed(self, request: LoadRequest, staging: Staging, has_time: Callable[[], bool]) -> bool:
        """Give every line its vector; return whether there was time for it. At least some are got on with."""
        model_id = self._embedder.model_id
        vectors = LoadVectors(self._files, request, model_id)
        async for found in vectors.kept():
            await staging.embed(found, model_id)
        async with aclosing(self._embedded(staging, has_time)) as batches:
            async for found in batches:
                await staging.embed(found, model_id)
                if len(found) == self._at_once:  # there may be more, and this invocation may end before they are done
                    await vectors.keep(found)
                    if not has_time():
                        return False
        return True

    async def _embedded(self, staging: Staging, has_time: Callable[[], bool]) -> AsyncGenerator[Mapping[bytes, Vector]]:
        """Yield the vectors of texts by their hashes; while these are stored, the next are computed."""
        computing: asyncio.Task[Mapping[bytes, Vector]] | None = None
        try:
            async for texts in staging.unembedded(self._at_once):
                if computing is not None:
                    found = await computing
                    computing = asyncio.create_task(self._vectors_of(texts)) if has_time() else None
                    yield found
                else:
                    computing = asyncio.create_task(self._vectors_of(texts))
            if computing is not None:
                yield await computing
        finally:
            if computing is not None:
                computing.cancel()

    async def _vectors_of(self, texts: Mapping[bytes, str]) -> Mapping[bytes, Vector]:
        return dict(zip(texts, await self._embedder.embed(list(texts.values())), strict=True))

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
