"""What a cold start imports: no more than the first request needs."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

# Each takes as long as all the rest, and few requests need it.
SLOW: Final = ("mcp", "mcp_types", "jsonschema_rs")


def test_the_api_starts_without_what_few_requests_need() -> None:
    code = f"import sys, memory_api.app; print([name for name in {SLOW!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
