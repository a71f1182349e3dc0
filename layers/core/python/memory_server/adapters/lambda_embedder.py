"""The embedder in a Lambda of its own, for functions that have no model in their process."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from memory_server.domain.errors import Unavailable
from memory_server.domain.memories import Vector
from memory_server.domain.vectors import unpack
from plugin_kit.json_types import dumps

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

# The longest texts there are, so many at once, take the embedder half of its time limit.
TEXTS_PER_CALL: Final = 64
# An invocation takes 6 MB; the request's own words need little of it.
BYTES_PER_CALL: Final = 5_000_000

logger = logging.getLogger(__name__)


class LambdaEmbedder:
    """Invokes functions/embedder. The embedder says which model it serves, so no setting can disagree with it.

    ``model_id`` asks it once, and blocks while it does, where nothing was embedded before.
    """

    def __init__(self, client: LambdaClient, function_name: str, dimensions: int = 384) -> None:
        self._client = client
        self._function_name = function_name
        self._model_id: str | None = None
        self.dimensions = dimensions

    @property
    def model_id(self) -> str:
        """The model whose vectors ``embed`` returns.

        Raises:
            Unavailable: the embedder was never asked, and does not answer.
        """
        if self._model_id is None:
            self._model_id, _ = self._invoke([])
        return self._model_id

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector a text, in order.

        Raises:
            Unavailable: the embedder does not answer, or has begun to serve another model: its vectors must not be
                taken for those of ``model_id``, and the next call learns the new id.
        """
        answers = await asyncio.gather(*(asyncio.to_thread(self._invoke, part) for part in _calls(texts)))
        served = {model_id for model_id, _ in answers}
        if self._model_id is None and len(served) == 1:
            (self._model_id,) = served
        if served - {self._model_id}:
            logger.warning("the embedder serves %s, not %s", sorted(served), self._model_id)
            self._model_id = None
            raise Unavailable("embedder")
        return [vector for _, vectors in answers for vector in vectors]

    def _invoke(self, texts: Sequence[str]) -> tuple[str, list[Vector]]:
        """Return the id of the model that is served, and one vector a text."""
        try:
            response = self._client.invoke(
                FunctionName=self._function_name, Payload=dumps({"texts": list(texts)}).encode()
            )
            payload = response["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            logger.warning("the embedder failed: %s", error)
            raise Unavailable("embedder") from error
        if "FunctionError" in response:
            logger.warning("the embedder failed: %s", payload.decode(errors="replace"))
            raise Unavailable("embedder")
        answer = json.loads(payload)
        return answer["model_id"], [unpack(b64decode(vector)) for vector in answer["vectors"]]


def _calls(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts of each call, in order."""
    part: list[str] = []
    size = 0
    for text in texts:
        length = len(dumps(text).encode()) + 1
        if part and (len(part) == TEXTS_PER_CALL or size + length > BYTES_PER_CALL):
            yield part
            part, size = [], 0
        part.append(text)
        size += length
    if part:
        yield part
