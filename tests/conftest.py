"""What every test stands on: shared fixtures, and an environment that says nothing of the machine."""

from __future__ import annotations

import os

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.aws", "tests.fixtures.functions"]

_OURS = ("AWS_", "PG", "DATABASE_", "SERVER_SECRET", "EVENT", "PLUGIN", "EMBEDD", "MODEL_PATH", "GATEWAY_")

# Before any test is collected: no credential and no setting of the machine may reach a test.
for _name in [name for name in os.environ if name.startswith(_OURS)]:
    del os.environ[_name]
