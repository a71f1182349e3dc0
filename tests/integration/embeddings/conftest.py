"""The model that `make model` exported, and its embedder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from memory_server.adapters.onnx_embedder import OnnxEmbedder

MODEL: Final = Path(__file__).parents[3] / "layers/embedding_model/model"


@pytest.fixture(scope="session")
def model_path() -> Path:
    return MODEL


@pytest.fixture(scope="session")
def embedder(model_path: Path) -> OnnxEmbedder:
    return OnnxEmbedder(model_path)


@pytest.fixture(scope="session")
def reference(model_path: Path) -> dict[str, list[float]]:
    """Texts, and the vectors that sentence-transformers gave them."""
    data = json.loads((model_path / "reference.json").read_text("utf-8"))
    return dict(zip(data["texts"], data["vectors"], strict=True))
