"""The embedder's handler: texts in, vectors out, for every function that has no model in its process."""

from __future__ import annotations

import asyncio
import os
import time
from base64 import b64encode
from functools import cache
from typing import cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.domain.errors import InvalidRequest
from memory_server.domain.vectors import pack
from memory_server.services.ports import Embedder
from memory_server.settings import Settings
from plugin_kit.json_types import JsonObject, JsonValue

logger = Logger()


@cache
def _runtime() -> tuple[asyncio.Runner, Embedder]:
    embedder = bootstrap.local_embedder(Settings.from_environment())
    embedder.load()
    return asyncio.Runner(), embedder


# Lambda alone sets it. What is loaded while an environment starts is in SnapStart's snapshot.
if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    _runtime()


@logger.inject_lambda_context
def handler(request: JsonObject, _context: LambdaContext) -> dict[str, JsonValue]:
    """Answer ``{"texts": [...]}`` with the model's id and a vector a text: base64 of float32, little-endian.

    Raises:
        InvalidRequest: ``texts`` is not a list of texts.
    """
    started = time.perf_counter()
    texts = request.get("texts")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequest.of("texts", "must be a list of texts")
    runner, embedder = _runtime()
    vectors = runner.run(embedder.embed(cast("list[str]", texts)))
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    logger.info("texts are embedded", extra={"texts": len(texts), "milliseconds": milliseconds})
    return {"model_id": embedder.model_id, "vectors": [b64encode(pack(vector)).decode() for vector in vectors]}
