"""Every curl of the README answers, as it stands there, on the stack that its first command starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.pages import commands, run
from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 100)

CURLS = [block for block in commands("README.md") if block.startswith("curl")]


def test_every_curl_of_the_readme_answers(stack: Stack, tmp_path: Path) -> None:
    answers = [json.loads(run(curl, stack, tmp_path)) for curl in CURLS]

    assert len(answers) == 5
    stored, found, listed, deletable, status = answers
    assert found["results"][0]["memory"]["id"] == stored["id"]
    assert listed["memories"][0]["id"] == stored["id"]
    assert deletable == {"dry_run": True, "count": 1, "ids": [stored["id"]]}
    assert status["plugin"]["id"] == "memory_analytics"
