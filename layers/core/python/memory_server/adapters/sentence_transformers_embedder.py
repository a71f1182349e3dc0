"""The embedder in this process for a model that `make model` refuses: sentence-transformers itself.

It must be installed beside the server, and is too large for a zip Lambda.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# sentence-transformers is no dependency of the server.
from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from memory_server.domain.memories import Vector


class SentenceTransformersEmbedder:
    """Serves the model that sentence-transformers saved in the folder ``model_path``, and loads it at once, in 10 s."""

    def __init__(self, model_path: Path) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(model_path), device="cpu")
        self.model_id = f"{model_path.name}@sentence-transformers"
        self.dimensions = cast(int, self._model.get_embedding_dimension())

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector of unit length a text, in order."""
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> list[Vector]:
        return self._model.encode(texts, normalize_embeddings=True).tolist()
