"""Backup, verification and restore beside pg_dump and pg_restore of the same rows, on a server of the benchmark's own.

    make bench [MEMORIES=100000] [TEXTS=file.jsonl.gz]

``TEXTS`` has a JSON object with ``content`` a line; without it, texts are made. Vectors are random, of unit length.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg

from infra.local.postgres import program
from plugin_kit.json_types import JsonObject
from tests.benchmarks.measuring import Peak, fill
from tests.e2e.backups import Backups, lose_everything
from tests.e2e.stack import Stack

SECONDS: Final = 3600.0
TABLES: Final = ("--table=memories", "--table=memory_versions")


def timed(name: str, rows: int, do: Callable[[], object], peak: Peak | None = None, note: str = "") -> float:
    """Do it, and write a line of how long that took."""
    began = time.monotonic()
    do()
    seconds = time.monotonic() - began
    memory = "" if peak is None else f"{peak.mib:8.0f} MiB"
    sys.stdout.write(f"{name:<22}{seconds:8.1f} s {rows / seconds:10,.0f} rows/s {memory} {note}\n")
    sys.stdout.flush()
    return seconds


def dump_and_restore(dsn: str, folder: Path, rows: int) -> tuple[float, float]:
    """Time pg_dump -Fc, and pg_restore into a database of its own."""
    file = folder / "dump"
    environment = {"PATH": os.environ["PATH"]}

    def run(name: str, *arguments: str) -> None:
        subprocess.run([str(program(name)), *arguments], env=environment, check=True)

    dumped = timed("pg_dump -Fc", rows, lambda: run("pg_dump", "-Fc", *TABLES, f"--file={file}", dsn))
    sys.stdout.write(f"{'':<22}{file.stat().st_size / 1e6:8.1f} MB\n")
    target = f"{dsn.rpartition('/')[0]}/bench"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench")
    with psycopg.connect(target) as connection:
        connection.execute("CREATE EXTENSION vector")
    # All but the triggers, whose functions are not among what was dumped.
    contents = subprocess.run([str(program("pg_restore")), "--list", str(file)], capture_output=True, check=True)
    wanted = folder / "wanted"
    wanted.write_bytes(b"".join(line for line in contents.stdout.splitlines(True) if b" TRIGGER " not in line))
    options = ("--no-owner", "--no-privileges", "--no-policies", f"--use-list={wanted}", f"--dbname={target}")
    restored = timed("pg_restore", rows, lambda: run("pg_restore", *options, str(file)))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE bench")
    return dumped, restored


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.yaml"
        settings.write_text(json.dumps({"plugins": {"plugins": ["backup_manager"]}}))
        stack = Stack(Path(folder), settings=settings)
        stack.start()
        try:
            measure(stack, options.memories, options.texts)
        finally:
            stack.close()


def measure(stack: Stack, count: int, file: Path | None) -> None:
    """Measure on ``stack``, which has no memories yet."""
    backups, dsn = Backups(stack), stack.admin_dsn
    fill(dsn, count, file, searched=True)
    dumped, restored = dump_and_restore(dsn, stack.data_dir, count)
    ids: list[str] = []
    with Peak(backups.processes) as peak:
        made = timed("backup", count, lambda: ids.append(backups.back_up(SECONDS)), peak)
    size = sum(path.stat().st_size for path in backups.files(ids[0]))
    sys.stdout.write(f"{'':<22}{size / 1e6:8.1f} MB\n")
    with Peak(backups.processes) as peak:
        timed("verify", count, lambda: _done(backups.run(ids[0], "verify", seconds=SECONDS)), peak)
    lose_everything(stack)
    with Peak(backups.processes) as peak:
        loaded = timed("restore", count, lambda: _done(backups.run(ids[0], "restore", seconds=SECONDS)), peak)
    sys.stdout.write(f"backup / pg_dump {made / dumped:.2f}, restore / pg_restore {loaded / restored:.2f}\n")


def _done(run: JsonObject) -> None:
    if run["state"] != "complete":
        raise SystemExit(f"it did not go well: {run}")


if __name__ == "__main__":
    main()
