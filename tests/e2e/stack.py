"""The stack as `make run` starts it, on a free port and over a folder of the test's own, with handles to break it."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from infra.local.aws import Aws
from infra.local.emulator import operator_secret
from infra.local.postgres import LocalPostgres

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 300.0
"""The first start of a fresh clone builds every package."""


class Stack:
    """One data folder and the processes over it: none before ``start``. ``settings`` say which plugins there are."""

    def __init__(
        self, folder: Path, settings: Path = REPOSITORY / "config" / "settings.yaml", *, sign_in: str = "off"
    ) -> None:
        self.data_dir = folder / "data"
        self.settings = settings
        self.sign_in = sign_in
        self.output = folder / "output.txt"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # One for all requests: each new client reads all certificates that this machine trusts. It lets go of a
        # connection before the server does, which closes those that are idle for 5 s.
        self.http = httpx.Client(base_url=self.url, timeout=120, limits=httpx.Limits(keepalive_expiry=2))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._supervisor.pid

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start what `make run` starts, without waiting for it."""
        command = [
            sys.executable,
            "-m",
            "infra.local",
            "up",
            f"--port={self.port}",
            f"--data-dir={self.data_dir}",
            f"--settings={self.settings}",
            f"--sign-in={self.sign_in}",
        ]
        with self.output.open("wb") as output:
            return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def start(self) -> float:
        """Start the stack and return when it is ready: the seconds that it took."""
        started = time.monotonic()
        self._process = self.spawn()
        while time.monotonic() - started < START_SECONDS and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/health/ready", timeout=10).is_success:
                    return time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(f"the stack is not ready:\n{self.output.read_text()}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the supervisor a signal and return its exit code when it has ended."""
        self._supervisor.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the supervisor's exit code when it has ended."""
        return self._supervisor.wait(30)

    def kill_all(self) -> None:
        """End every process of the stack with SIGKILL, the supervisor first so that it can put nothing right."""
        processes = [psutil.Process(self._supervisor.pid), *self.processes()]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._supervisor.wait(30)
        psutil.wait_procs(processes, timeout=30)

    def kill_supervisor(self) -> None:
        """End the supervisor alone with SIGKILL."""
        self._supervisor.kill()
        self._supervisor.wait(30)

    def close(self) -> None:
        """End whatever still runs."""
        self.http.close()
        if self._process is not None and self._process.poll() is None:
            self.kill_all()

    def first_key(self) -> str:
        """Return the API key that the first start prints where people must sign in."""
        until = time.monotonic() + 30
        while (found := re.search(r"MEMORY_SERVER_KEY=(mms_\w+)", self.output.read_text())) is None:
            assert time.monotonic() < until, self.output.read_text()
            time.sleep(0.05)
        return found[1]

    def processes(self) -> list[psutil.Process]:
        """Return all processes that the supervisor started, and that those started."""
        return psutil.Process(self._supervisor.pid).children(recursive=True)

    def process(self, word: str) -> psutil.Process:
        """Return the one process of the stack whose command has ``word`` in it."""
        (found,) = [process for process in self.processes() if word in _command(process)]
        return found

    def left_behind(self) -> list[str]:
        """Return the commands of all processes of this machine that still use the data folder, after a moment."""
        until = time.monotonic() + 3
        while (commands := list(self._users())) and time.monotonic() < until:
            time.sleep(0.05)
        return commands

    def _users(self) -> Iterator[str]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline())
                if str(self.data_dir) in f"{command} {process.environ()}":
                    yield command

    @property
    def aws(self) -> Aws:
        """Clients of the emulator that runs now."""
        command = self.process("infra.local.aws_process").cmdline()
        port = command[command.index("infra.local.aws_process") + 1]
        return Aws(f"http://127.0.0.1:{port}", operator_secret(self.data_dir / "aws"))

    @property
    def admin_dsn(self) -> str:
        """The URL of the server's database, for the administrator, whom row-level security does not bind."""
        postgres = LocalPostgres(self.data_dir / "postgres")
        # The fourth line of postmaster.pid is the port.
        pid_file = self.data_dir / "postgres" / "cluster" / "postmaster.pid"
        postgres.port = int(pid_file.read_text().splitlines()[3])
        return postgres.dsn("memory")

    @property
    def _supervisor(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the stack was not started"
        return self._process


def _command(process: psutil.Process) -> str:
    """Return how a process was started; nothing where it has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
