"""The emulator's process, in .venv-aws: ``python -m infra.local.aws_process PORT JOURNAL CLOSED_PORT``.

The operator's secret is the first line of its standard input; no function gets to know that. The rest of what
ministack needs to know is in its environment: see ``emulator``.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path

from infra.local.aws_gate import open_door
from infra.local.aws_journal import Journal
from infra.local.aws_policies import know_conditions
from infra.local.aws_schedules import complete_schedules
from infra.local.aws_secrets import KeptSecrets
from infra.local.aws_state import JournaledDynamoDb, keep_buckets
from infra.local.aws_workers import sandbox_plugins
from infra.local.owner import leave_with_owner


def main(port: int, journal: Path, closed_port: int) -> None:
    """Serve AWS on 127.0.0.1 until SIGTERM, or until the owner is gone. No plugin can connect to ``closed_port``."""
    secret = sys.stdin.readline().strip()
    leave_with_owner()
    kept = Journal(journal)
    JournaledDynamoDb(kept).install()
    KeptSecrets(kept).install()
    keep_buckets()
    complete_schedules()
    sandbox_plugins(frozenset({closed_port}))
    know_conditions()
    asyncio.run(_serve(port, secret))


async def _serve(port: int, secret: str) -> None:
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    app = open_door(importlib.import_module("ministack.app").app, secret)
    await importlib.import_module("hypercorn.asyncio").serve(app, config)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
