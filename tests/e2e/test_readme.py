"""Every curl of the README answers, as it stands there, on the stack that its first command starts."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.e2e.stack import REPOSITORY, START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 100)

BLOCKS = re.findall(r"```bash\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
CURLS = [block for block in BLOCKS if block.startswith("curl")]


def test_every_curl_of_the_readme_answers(stack: Stack) -> None:
    answers = [_run(curl, stack) for curl in CURLS]

    assert len(answers) == 5
    stored, found, listed, deletable, status = answers
    assert found["results"][0]["memory"]["id"] == stored["id"]
    assert listed["memories"][0]["id"] == stored["id"]
    assert deletable == {"dry_run": True, "count": 1, "ids": [stored["id"]]}
    assert status["plugin"]["id"] == "memory_analytics"


def _run(curl: str, stack: Stack) -> dict[str, Any]:
    command = curl.replace("localhost:8000", f"127.0.0.1:{stack.port}").replace("curl -s", "curl -sf")
    ran = subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=60)
    return json.loads(ran.stdout)
