"""Exports and imports beside COPY of the same rows, on a server of the benchmark's own.

    make bench [MEMORIES=100000] [TEXTS=file.jsonl.gz]

``TEXTS`` has a JSON object with ``content`` a line; without it, texts are made. Vectors are random, of unit length.
A time is the middle one of ``TIMES``; the first export, for which processes are started, is told apart. Who waits for
an export asks ten times a second at first, and then ever less, for asking takes of what both share: a time is up to a
twentieth too long.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, LiteralString

import httpx
import psutil
import psycopg

from tests.benchmarks.measuring import Peak, fill
from tests.e2e.stack import Stack

TIMES: Final = 3
POLL_SECONDS: Final = 0.1
_FIELDS: Final[LiteralString] = (
    "id, content, memory_type, project, session_id, tags, importance, metadata, user_id, version, created_at,"
    " updated_at, expires_at, deduplicate"
)
COPY: Final[LiteralString] = f"COPY memories ({_FIELDS}) TO STDOUT"
COPY_JSON: Final[LiteralString] = (
    f"COPY (SELECT row_to_json(line) FROM (SELECT {_FIELDS} FROM memories) AS line) TO STDOUT"  # noqa: S608  # names of columns
)
COPY_WHOLE: Final[LiteralString] = f"COPY memories ({_FIELDS}, content_sha256, embedding, embedding_model) TO STDOUT"
COPY_BACK: Final[LiteralString] = f"COPY copied ({_FIELDS}, content_sha256, embedding, embedding_model) FROM STDIN"
EXPORTS: Final[tuple[dict[str, Any], ...]] = (
    {"format": "jsonl"},
    {"format": "jsonl", "compression": "gzip"},
    {"format": "jsonl", "compression": "zstd"},
    {"format": "json"},
    {"format": "csv"},
    {"format": "markdown"},
    {"format": "jsonl", "embeddings": True},
)


def processes_of(stack: Stack) -> Iterator[psutil.Process]:
    """Yield the plugin's processes."""
    for process in stack.processes():
        with suppress(psutil.Error):
            if process.environ().get("PLUGIN_ID") == "export_service":
                yield process


def timed(name: str, rows: int, do: Callable[[], object], peak: Peak | None = None, *, times: int = 1) -> float:
    """Do it so many times, and write a line of how long that took, and how busy the machine was."""
    taken: list[float] = []
    for _ in range(times):
        began = time.monotonic()
        do()
        taken.append(time.monotonic() - began)
    seconds = statistics.median(taken)
    memory = f"{'':8}    " if peak is None else f"{peak.mib:8.0f} MiB"
    load = f"load {os.getloadavg()[0]:.1f}"
    sys.stdout.write(f"{name:<34}{seconds:8.2f} s {rows / seconds:10,.0f} rows/s {memory}  {load}\n")
    sys.stdout.flush()
    return seconds


def copied(dsn: str, statement: LiteralString, file: Path) -> None:
    """Write what ``statement`` copies into ``file``."""
    with psycopg.connect(dsn) as connection, file.open("wb") as out, connection.cursor().copy(statement) as copy:
        for block in copy:
            out.write(block)


def copied_back(dsn: str, file: Path) -> None:
    """Read ``file`` with COPY into a table like that of memories, but without its indexes."""
    with psycopg.connect(dsn) as connection, file.open("rb") as source:
        connection.execute("CREATE TEMPORARY TABLE copied (LIKE memories INCLUDING DEFAULTS INCLUDING GENERATED)")
        with connection.cursor().copy(COPY_BACK) as copy:
            while block := source.read(1024 * 1024):
                copy.write(block)


def job(api: httpx.Client, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Start an export or an import and return it when it is done."""
    response = api.post(f"/plugins/export_service/{kind}", json=body).raise_for_status()
    began = time.monotonic()
    while True:
        found = api.get(response.headers["Location"]).raise_for_status().json()
        if found["state"] == "done":
            return found
        if found["state"] == "failed":
            raise SystemExit(f"it did not go well: {found}")
        time.sleep(max(POLL_SECONDS, (time.monotonic() - began) / 20))


def emptied(dsn: str, then: LiteralString = "SELECT 1") -> None:
    """Remove all memories."""
    with psycopg.connect(dsn) as connection:
        connection.execute("TRUNCATE memories, memory_versions")
        connection.execute(then)


def measure(stack: Stack, count: int, file: Path | None) -> None:
    """Measure on ``stack``, which has no memories yet."""
    dsn, folder = stack.admin_dsn, stack.data_dir
    fill(dsn, count, file, searched=False)
    without = timed("COPY", count, lambda: copied(dsn, COPY, folder / "a"), times=TIMES)
    timed("COPY of rows as JSON", count, lambda: copied(dsn, COPY_JSON, folder / "a"), times=TIMES)
    whole = timed("COPY with embeddings", count, lambda: copied(dsn, COPY_WHOLE, folder / "b"), times=TIMES)
    back = timed("COPY back, without indexes", count, lambda: copied_back(dsn, folder / "b"))
    with httpx.Client(base_url=stack.url, timeout=60) as api:
        timed("the first export, jsonl", count, lambda: job(api, "exports", EXPORTS[0]))
        done: list[dict[str, Any]] = []
        for body in EXPORTS:
            with Peak(lambda: processes_of(stack)) as peak:
                name = f"export {' '.join(str(value) for value in body.values())}".replace("True", "embeddings")
                seconds = timed(
                    name, count, lambda body=body: done.append(job(api, "exports", body)), peak, times=TIMES
                )
            size = done[-1]["download"]["bytes"] / 1e6
            beside = whole if body.get("embeddings") else without
            sys.stdout.write(f"{'':<34}{size:8.2f} MB, {seconds / beside:.1f} times COPY\n")
        few = job(api, "exports", {"format": "jsonl", "filter": {"project": "project 0"}})
        emptied(dsn, "SELECT make_search_indexes()")
        with Peak(lambda: processes_of(stack)) as peak:
            name = "import jsonl embeddings"
            seconds = timed(name, count, lambda: job(api, "imports", {"export_id": done[-1]["id"]}), peak)
        sys.stdout.write(f"{'':<34}{seconds / back:.1f} times COPY back\n")
        emptied(dsn)
        with Peak(lambda: processes_of(stack)) as peak:
            timed(
                "import jsonl, to be embedded",
                few["memories"],
                lambda: job(api, "imports", {"export_id": few["id"]}),
                peak,
            )


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.yaml"
        settings.write_text(json.dumps({"plugins": {"plugins": ["export_service"]}}))
        stack = Stack(Path(folder), settings=settings)
        stack.start()
        try:
            measure(stack, options.memories, options.texts)
        finally:
            stack.close()


if __name__ == "__main__":
    main()
