"""Several plugins on one server: their libraries, their order, processes that die, and what they cost a request."""

from __future__ import annotations

import contextlib
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import LiteralString

import httpx
import psutil
import psycopg
import pytest
from psycopg import sql

from tests.e2e.plugin_folders import COUNTER, RAISER, RANKED, write_plugin, write_settings
from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 600)

COUNTERS = {"counter_a": "23.2", "counter_b": "24.2", "counter_c": "25.0", "counter_d": "26.0"}
RANKS = {"ranked_first": 1, "ranked_second": 5, "ranked_third": 5}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with eight plugins beside memory_analytics, all off."""
    home = tmp_path_factory.mktemp("together")
    folders = [
        write_plugin(home, plugin_id, COUNTER, f"packaging=={version}\n") for plugin_id, version in COUNTERS.items()
    ] + [
        write_plugin(home, plugin_id, RANKED.format(priority=priority, fails=priority == 1))
        for plugin_id, priority in RANKS.items()
    ]
    folders.append(write_plugin(home, "raiser", RAISER))
    stack = Stack(home, settings=write_settings(home / "settings.yaml", folders, timeout_seconds=5))
    stack.start()
    try:
        yield stack
    finally:
        stack.close()


def test_two_plugins_use_two_versions_of_one_library(server: Stack) -> None:
    _enable_only(server, ["counter_a", "counter_b"])

    _store(server, ["two versions of one library"])

    assert _counted_within(server, "counter_a", expected=1, seconds=20) == {"23.2": 1}
    assert _counted_within(server, "counter_b", expected=1, seconds=20) == {"24.2": 1}


def test_what_a_plugin_cannot_handle_is_a_dead_letter_after_5_receives_and_nobody_elses_concern(server: Stack) -> None:
    _enable_only(server, ["raiser", "counter_c"])

    _store(server, ["handled by one of two"])
    counted = _counted_within(server, "counter_c", expected=1, seconds=10)
    tried = _status(server, "raiser")["statistics"]["failed"]
    _wait(lambda: _status(server, "raiser")["queue"]["dead"] == 1, seconds=90)
    raiser = _status(server, "raiser")

    assert counted == {"25.0": 1}
    assert tried < 5
    assert raiser["queue"]["dead"] == 1
    assert raiser["statistics"]["failed"] == 5
    assert "this plugin cannot do it" in str(raiser["statistics"]["last_error"])
    assert _status(server, "counter_c")["statistics"]["failed"] == 0


def test_a_lower_priority_number_has_ended_before_the_others_begin(server: Stack) -> None:
    _enable_only(server, list(RANKS))

    _store(server, [f"ranked memory number {number}" for number in range(200)])
    _wait(lambda: all(len(_times(server, plugin_id)) >= 200 for plugin_id in RANKS), seconds=180)
    first, second, third = (_times(server, plugin_id) for plugin_id in RANKS)

    assert first.keys() == second.keys() == third.keys()
    assert all(first[event][1] <= min(second[event][0], third[event][0]) for event in first)
    assert _status(server, "ranked_first")["statistics"]["failed"] >= 20


def test_each_event_counts_once_while_plugins_processes_are_killed(server: Stack) -> None:
    _enable_only(server, list(COUNTERS))
    before = {plugin_id: sum(_counted(server, plugin_id).values()) for plugin_id in COUNTERS}
    chance = random.Random(7)  # noqa: S311  # which process dies is no secret

    for start in (0, 1000):
        _store(server, [f"memory {number} among killed processes" for number in range(start, start + 1000)])
    killed = 0
    until = time.monotonic() + 20
    while time.monotonic() < until:
        workers = _workers(server)
        if workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                chance.choice(workers).kill()
                killed += 1
        time.sleep(1)

    assert killed >= 10
    for plugin_id in COUNTERS:
        expected = before[plugin_id] + 2000
        assert sum(_counted_within(server, plugin_id, expected=expected, seconds=500).values()) == expected
    assert all(_status(server, plugin_id)["queue"]["dead"] == 0 for plugin_id in COUNTERS)


def test_four_plugins_hardly_slow_a_request(server: Stack) -> None:
    on: list[float] = []
    off: list[float] = []

    for enabled, figures in [(list(COUNTERS), on), ([], off)] * 3:
        _enable_only(server, enabled)
        figures += _latencies(server, 60)
    ratio = statistics.median(on) / statistics.median(off)

    sys.stdout.write(  # `pytest -rP` shows it
        f"median of a write: {statistics.median(on) * 1000:.1f} ms with four plugins, "
        f"{statistics.median(off) * 1000:.1f} ms with none, ratio {ratio:.2f}\n"
    )
    # The goal is 1.05 where plugins have machines of their own; here they share two cores with the server.
    assert ratio < 1.5


def _enable_only(server: Stack, wanted: Sequence[str]) -> None:
    for plugin_id in ("memory_analytics", "raiser", *COUNTERS, *RANKS):
        action = "enable" if plugin_id in wanted else "disable"
        httpx.post(f"{server.url}/plugins/{action}/{plugin_id}", timeout=60).raise_for_status()


def _store(server: Stack, contents: Sequence[str]) -> None:
    body = {"memories": [{"content": content} for content in contents]}
    httpx.post(f"{server.url}/memories/batch", json=body, timeout=120).raise_for_status()


def _latencies(server: Stack, number: int) -> list[float]:
    """Return how long each of ``number`` writes took, in seconds, at the pace of a busy agent."""
    found: list[float] = []
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for _ in range(number):
            started = time.perf_counter()
            client.post("/memories", json={"content": f"written at {time.time_ns()}"}).raise_for_status()
            found.append(time.perf_counter() - started)
            time.sleep(0.1)
    return found


def _status(server: Stack, plugin_id: str) -> dict[str, dict[str, int]]:
    return httpx.get(f"{server.url}/plugins/status/{plugin_id}", timeout=60).raise_for_status().json()


def _workers(server: Stack) -> list[psutil.Process]:
    """Return the processes of the counters."""
    found: list[psutil.Process] = []
    for process in server.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            if any(f"-plugin-{plugin_id}-" in command for plugin_id in COUNTERS):
                found.append(process)
    return found


def _counted(server: Stack, plugin_id: str) -> dict[str, int]:
    """Return how many events the counter has seen, by the version of its library."""
    return {str(row[0]): int(str(row[1])) for row in _rows(server, plugin_id, "SELECT library, events FROM {}.total")}


def _counted_within(server: Stack, plugin_id: str, *, expected: int, seconds: float) -> dict[str, int]:
    _wait(lambda: sum(_counted(server, plugin_id).values()) >= expected, seconds=seconds)
    return _counted(server, plugin_id)


def _times(server: Stack, plugin_id: str) -> dict[str, tuple[float, float]]:
    rows = _rows(
        server, plugin_id, "SELECT event_id, extract(epoch FROM began), extract(epoch FROM ended) FROM {}.times"
    )
    return {str(event): (float(str(began)), float(str(ended))) for event, began, ended in rows}


def _rows(server: Stack, plugin_id: str, query: LiteralString) -> list[tuple[object, ...]]:
    schema = sql.Identifier(f"plugin_{plugin_id}")
    with psycopg.connect(server.admin_dsn) as connection:
        try:
            return connection.execute(sql.SQL(query).format(schema)).fetchall()
        except psycopg.errors.UndefinedTable:  # the plugin makes it when it has its first event
            return []


def _wait(done: Callable[[], bool], *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.2)
