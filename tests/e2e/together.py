"""One server with several plugins of the tests' own, and what can be asked of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.e2e.plugin_folders import COUNTER, RAISER, RANKED, write_plugin, write_settings
from tests.e2e.stack import Stack

COUNTERS = {"counter_a": "23.2", "counter_b": "24.2", "counter_c": "25.0", "counter_d": "26.0"}
RANKS = {"ranked_first": 1, "ranked_second": 5, "ranked_third": 5}


@contextlib.contextmanager
def server_with_plugins(home: Path) -> Generator[Stack]:
    """Give a stack over ``home`` that has eight plugins beside memory_analytics."""
    folders = [
        *(write_plugin(home, name, COUNTER, f"packaging=={version}\n") for name, version in COUNTERS.items()),
        *(write_plugin(home, name, RANKED.format(priority=rank, fails=rank == 1)) for name, rank in RANKS.items()),
        write_plugin(home, "raiser", RAISER),
    ]
    stack = Stack(home, settings=write_settings(home / "settings.yaml", folders, timeout_seconds=5))
    stack.start()
    try:
        yield stack
    finally:
        stack.close()


def store_and_await_ranks(server: Stack, number: int) -> None:
    """Store ``number`` memories and hold that the first rank had ended each before the others began it."""
    before = {plugin_id: times(server, plugin_id).keys() for plugin_id in RANKS}
    store(server, [f"ranked {time.monotonic_ns()} memory number {index}" for index in range(number)])
    wait(lambda: all(len(times(server, name)) >= len(before[name]) + number for name in RANKS), seconds=300)
    first, second, third = (times(server, plugin_id) for plugin_id in RANKS)

    assert len(first) == len(before["ranked_first"]) + number
    assert first.keys() == second.keys() == third.keys()
    assert all(first[event][1] <= min(second[event][0], third[event][0]) for event in first)


def enable_only(server: Stack, wanted: Sequence[str]) -> None:
    for plugin_id in ("memory_analytics", "raiser", *COUNTERS, *RANKS):
        action = "enable" if plugin_id in wanted else "disable"
        server.http.post(f"/plugins/{action}/{plugin_id}").raise_for_status()


def store(server: Stack, contents: Sequence[str]) -> None:
    body = {"memories": [{"content": content} for content in contents]}
    server.http.post("/memories/batch", json=body).raise_for_status()


def status(server: Stack, plugin_id: str) -> dict[str, dict[str, int]]:
    return server.http.get(f"/plugins/status/{plugin_id}").raise_for_status().json()


def counted(server: Stack, plugin_id: str) -> dict[str, int]:
    """Return how many events the counter has seen, by the version of its library."""
    return {str(row[0]): int(str(row[1])) for row in rows(server, plugin_id, "SELECT library, events FROM {}.total")}


def counted_within(server: Stack, plugin_id: str, *, expected: int, seconds: float) -> dict[str, int]:
    wait(lambda: sum(counted(server, plugin_id).values()) >= expected, seconds=seconds)
    return counted(server, plugin_id)


def times(server: Stack, plugin_id: str) -> dict[str, tuple[float, float]]:
    found = rows(
        server, plugin_id, "SELECT event_id, extract(epoch FROM began), extract(epoch FROM ended) FROM {}.times"
    )
    return {str(event): (float(str(began)), float(str(ended))) for event, began, ended in found}


def rows(server: Stack, plugin_id: str, query: LiteralString) -> list[tuple[object, ...]]:
    schema = sql.Identifier(f"plugin_{plugin_id}")
    with psycopg.connect(server.admin_dsn) as connection:
        try:
            return connection.execute(sql.SQL(query).format(schema)).fetchall()
        except psycopg.errors.UndefinedTable:  # the plugin makes it when it has its first event
            return []


def wait(done: Callable[[], bool], *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.2)
