"""What the user of one machine asks of backup_manager, and what can be seen of it from outside."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import httpx
import psutil
import psycopg
from psycopg import sql

from plugin_kit.json_types import JsonObject, JsonValue
from tests.e2e.stack import REPOSITORY, Stack

SENTENCES = (REPOSITORY / "tests" / "data" / "sentences.txt").read_text().splitlines()
SECONDS = 120.0
ENDS = frozenset({"complete", "failed"})


class Backups:
    """The backups on ``stack``."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def ask(self, method: str, path: str, body: JsonValue = None) -> httpx.Response:
        """Return what the plugin answers."""
        return self._stack.http.request(method, f"/plugins/backup_manager{path}", json=body)

    def begin(self, path: str, body: JsonValue = None) -> str:
        """Begin a backup or a run, and return its id."""
        return str(self.ask("POST", path, body).raise_for_status().json()["id"])

    def get(self, path: str) -> JsonObject:
        """Return what is at ``path``."""
        return cast(JsonObject, self.ask("GET", path).raise_for_status().json())

    def ended(self, path: str, seconds: float = SECONDS) -> JsonObject:
        """Return what is at ``path`` once it is complete or has failed."""
        until, pause = time.monotonic() + seconds, 0.05
        while (found := self.get(path))["state"] not in ENDS and time.monotonic() < until:
            time.sleep(pause)
            pause = min(1.1 * pause, 1.0)  # whoever asks all the time slows down what they wait for
        return found

    def back_up(self, seconds: float = SECONDS) -> str:
        """Return the id of a new backup that is complete."""
        backup_id = self.begin("/backups", {})
        ended = self.ended(f"/backups/{backup_id}", seconds)
        assert ended["state"] == "complete", ended
        return backup_id

    def run(self, backup_id: str, what: str, body: JsonValue = None, seconds: float = SECONDS) -> JsonObject:
        """Verify or restore a backup, and return how that ended."""
        run_id = self.begin(f"/backups/{backup_id}/{what}", body or {})
        return self.ended(f"/runs/{run_id}", seconds)

    def all_ended(self) -> None:
        """Return when nothing is under way."""
        until = time.monotonic() + SECONDS
        under_way = "SELECT state FROM plugin_backup_manager.{} WHERE state <> ALL (%s)"
        with psycopg.connect(self._stack.admin_dsn, autocommit=True) as connection:
            while any(
                connection.execute(sql.SQL(under_way).format(sql.Identifier(table)), [list(ENDS)]).fetchone()
                for table in ("backups", "runs")
            ):
                assert time.monotonic() < until, "something is still under way"
                time.sleep(0.05)

    def time_passes(self) -> None:
        """Let what is under way have been so for hours."""
        with psycopg.connect(self._stack.admin_dsn) as connection:
            for table in ("backups", "runs"):
                connection.execute(
                    f"UPDATE plugin_backup_manager.{table} SET touched_at = touched_at - interval '2 hours'"  # noqa: S608
                )

    def kill_processes(self) -> int:
        """End the plugin's processes with SIGKILL and return how many there were."""
        killed = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                killed += 1
        return killed

    def processes(self) -> Iterator[psutil.Process]:
        """Return the plugin's processes."""
        for process in self._stack.processes():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("PLUGIN_ID") == "backup_manager":
                    yield process

    def files(self, backup_id: str) -> list[Path]:
        """Return the files of a backup where the emulator keeps them."""
        folders = (self._stack.data_dir / "aws" / "s3").glob(f"**/files/backup_manager/*/backups/{backup_id}")
        return sorted(path for folder in folders for path in folder.iterdir())


def store_memories(stack: Stack, count: int) -> list[str]:
    """Store memories, edit and delete some of them, and return the ids of those that live."""
    memories = [
        {
            "content": f"{number}. {SENTENCES[number % len(SENTENCES)]}",
            "project": f"project {number % 3}",
            "tags": ["e2e"],
        }
        for number in range(count)
    ]
    ids: list[str] = []
    with httpx.Client(base_url=stack.url, timeout=120) as client:
        for first in range(0, count, 100):
            answer = client.post("/memories/batch", json={"memories": memories[first : first + 100]})
            ids += [result["memory"]["id"] for result in answer.raise_for_status().json()["results"]]
        for number in range(0, count, 7):
            change = {"content": f"Corrected: {memories[number]['content']}", "importance": 0.9}
            client.patch(f"/memories/{ids[number]}", json=change).raise_for_status()
        for number in range(3, count, 11):
            client.delete(f"/memories/{ids[number]}").raise_for_status()
    deleted = set(range(3, count, 11))
    return [id_ for number, id_ in enumerate(ids) if number not in deleted]


def everything(stack: Stack) -> tuple[Sequence[object], Sequence[object]]:
    """Return all memories and all versions, each with every column."""
    with psycopg.connect(stack.admin_dsn) as connection:
        memories = connection.execute("SELECT to_jsonb(m) FROM memories AS m ORDER BY id").fetchall()
        versions = connection.execute("SELECT to_jsonb(v) FROM memory_versions AS v ORDER BY id, version").fetchall()
    return memories, versions


def lose_everything(stack: Stack) -> None:
    """Empty the tables of memories, as if the database were new."""
    with psycopg.connect(stack.admin_dsn) as connection:
        connection.execute("TRUNCATE memories, memory_versions")


def searches(stack: Stack, count: int = 200) -> list[list[str]]:
    """Return the ids that each of ``count`` searches finds, in their order."""
    found: list[list[str]] = []
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        for number in range(count):
            query = " ".join(SENTENCES[number * 3 % len(SENTENCES)].split()[:6])
            answer = client.post("/memories/search", json={"query": query, "limit": 10}).raise_for_status().json()
            found.append([result["memory"]["id"] for result in answer["results"]])
    return found
