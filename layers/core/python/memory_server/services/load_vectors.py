"""The vectors that a load has computed, kept until it is stored: embedding may take longer than one invocation has."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import cast

from memory_server.domain.errors import NoSuchFile
from memory_server.domain.memories import Vector
from memory_server.domain.vectors import pack, unpack
from memory_server.services.transfer_ports import SERVER, PartFiles
from memory_server.services.transfer_requests import LoadRequest
from plugin_kit.file_names import TRANSFERS
from plugin_kit.json_types import dumps


class LoadVectors:
    """Files of the server's own, which the bucket deletes after a day: a line has the hash of a text, and its vector.

    Vectors of another model than ``model_id`` do not count.
    """

    def __init__(self, files: PartFiles, request: LoadRequest, model_id: str) -> None:
        self._files = files
        self._caller = replace(request.caller, plugin_id=SERVER)
        load = dumps([request.caller.plugin_id, request.key])
        self._folder = f"{TRANSFERS}vectors/{hashlib.sha256(load.encode()).hexdigest()}"
        self._model_id = model_id
        self._count = 0

    async def kept(self) -> AsyncIterator[Mapping[bytes, Vector]]:
        """Yield what invocations before this one have kept. Raises: Unavailable."""
        try:
            while True:
                found: dict[bytes, Vector] = {}
                async for line in self._files.lines(self._caller, self._name):
                    model_id, text, vector = cast("list[str]", json.loads(line))
                    if model_id == self._model_id:
                        found[bytes.fromhex(text)] = unpack(b64decode(vector))
                self._count += 1
                yield found
        except NoSuchFile:
            return

    async def keep(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors by the hashes of their texts. Raises: Unavailable, or UserErased."""
        lines = ([self._model_id, text.hex(), b64encode(pack(vector)).decode()] for text, vector in vectors.items())
        await self._files.write(self._caller, self._name, b"".join(f"{dumps(line)}\n".encode() for line in lines))
        self._count += 1

    @property
    def _name(self) -> str:
        return f"{self._folder}/{self._count:05}.jsonl"
