"""The embedder in this process: the model that `make model` exported, in ONNX Runtime."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# onnxruntime's classes are compiled, and come without types.
from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from memory_server.domain.memories import Vector

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

# Tokens, padding included, of one run: it bounds the memory that a run takes. Larger runs are no faster.
TOKENS_PER_RUN: Final = 2048
# Past four threads a model of this size gains nothing.
MAX_THREADS: Final = 4


class ModelMissing(Exception):
    """The folder holds no exported model; the message says how to make one."""


class _Named(Protocol):
    name: str


class _Array(Protocol):
    def tolist(self) -> list[list[float]]: ...


class _Session(Protocol):
    """What is used of onnxruntime.InferenceSession, which has no types of its own."""

    def get_inputs(self) -> Sequence[_Named]: ...

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, object]) -> Sequence[_Array]: ...


class OnnxEmbedder:
    """Serves the model in the folder ``model_path``, which it loads on first use: that, or ``load``, takes 0.5 s.

    Raises:
        ModelMissing: there is no model in the folder.
    """

    def __init__(self, model_path: Path) -> None:
        self._path = model_path
        try:
            manifest = json.loads((model_path / "model.json").read_text("utf-8"))
        except FileNotFoundError as error:
            raise ModelMissing(f"there is no model in {model_path}: run `make model`") from error
        self.model_id = str(manifest["model_id"])
        self.dimensions = int(manifest["dimensions"])
        self._pad_id = int(manifest["pad_id"])
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, _Session] | None = None

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector of unit length a text, in order. Text beyond the model's window is cut off."""
        vectors: list[Vector] = [()] * len(texts)
        if not texts:
            return vectors
        encodings = await asyncio.to_thread(self._encode, texts)
        for chosen in _runs([len(encoding) for encoding in encodings]):
            # A thread a run, and not one for all, lets a query in between the runs of a large batch.
            found = await asyncio.to_thread(self._run, [encodings[index] for index in chosen])
            for index, vector in zip(chosen, found, strict=True):
                vectors[index] = vector
        return vectors

    def load(self) -> tuple[Tokenizer, _Session]:
        """Load the model, once, and return its tokenizer and its session."""
        with self._loading:
            if self._loaded is None:
                self._loaded = _load(self._path)
            return self._loaded

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        tokenizer, _ = self.load()
        return tokenizer.encode_batch(list(texts))

    def _run(self, encodings: Sequence[Encoding]) -> list[list[float]]:
        import numpy as np

        _, session = self.load()
        length = max(map(len, encodings))
        for encoding in encodings:
            encoding.pad(length, pad_id=self._pad_id)
        columns = {
            "input_ids": [encoding.ids for encoding in encodings],
            "attention_mask": [encoding.attention_mask for encoding in encodings],
            "token_type_ids": [encoding.type_ids for encoding in encodings],
        }
        inputs = {node.name: np.array(columns[node.name], dtype=np.int64) for node in session.get_inputs()}
        return session.run(["sentence_embedding"], inputs)[0].tolist()


def _runs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indexes of the texts of each run: texts of like length together, so that little is padding."""
    run: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if run and (len(run) + 1) * lengths[index] > TOKENS_PER_RUN:
            yield run
            run = []
        run.append(index)
    yield run


def _load(path: Path) -> tuple[Tokenizer, _Session]:
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(os.cpu_count() or 1, MAX_THREADS)
    # Threads that spin while they wait make one text take 50 times as long where other work wants the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path / "model.onnx", options, providers=["CPUExecutionProvider"])
    return Tokenizer.from_file(str(path / "tokenizer.json")), cast(_Session, session)
