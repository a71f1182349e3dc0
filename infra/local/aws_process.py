"""The emulator's process, in .venv-aws: ``python -m infra.local.aws_process PORT JOURNAL``.

The rest of what ministack needs to know is in its environment: see ``emulator``.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path

from infra.local.aws_journal import Journal
from infra.local.aws_schedules import fill_in_schedules
from infra.local.aws_state import JournaledDynamoDb, keep_buckets
from infra.local.owner import leave_with_owner


def main(port: int, journal: Path) -> None:
    """Serve AWS on 127.0.0.1 until SIGTERM, or until the owner is gone."""
    leave_with_owner()
    JournaledDynamoDb(Journal(journal)).install()
    keep_buckets()
    fill_in_schedules()
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    app = importlib.import_module("ministack.app").app
    await importlib.import_module("hypercorn.asyncio").serve(app, config)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
