"""The OpenAPI document, and the API held against it by schemathesis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

# A schema cannot say that a time must lie ahead, that until comes after since, or how many bytes a text may have: so
# data that fits it may be refused, and a check that all of it is accepted would be wrong. Nor does a deleted memory
# lose its history, which is below its path.
UNFIT = "positive_data_acceptance,use_after_free"


def test_schemathesis_finds_no_fault(over_uvicorn: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text("")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{over_uvicorn.base_url}/openapi.json"),
        *("--checks", "all", "--exclude-checks", UNFIT),
        *("--max-examples", "15", "--seed", "1", "--generation-deterministic"),
        *("--request-timeout", "20", "--no-color"),
    ]

    run = subprocess.run(command, cwd=tmp_path, env={**os.environ, "COLUMNS": "150"}, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    assert "tested" in run.stdout.lower()
