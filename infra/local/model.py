"""Where `make model` puts the embedding model."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).parents[2] / "layers" / "embedding_model" / "model"
