"""A load is held to its user's quotas, and so is its dry run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from functions.bulk_transfer import handler as function
from memory_server.domain.memories import MemoryDraft
from plugin_kit.json_types import JsonValue
from tests.integration.transfers.conftest import Transfers, everything, numbers

PAST = datetime(2026, 1, 1, tzinfo=UTC)
THERE = "10000000-0000-7000-8000-000000000000"
NEW = "20000000-0000-7000-8000-000000000000"


def test_a_load_that_is_over_the_users_quota_stores_nothing_and_says_so(
    transfers: Transfers, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfers.store(MemoryDraft(content="there"))
    monkeypatch.setenv("MEMORIES_A_USER", "3")
    part = transfers.write("a.jsonl", *({"content": str(number)} for number in range(3)))
    outcome = transfers.load(part)
    assert "a user may have 3 memories, 1 are there" in outcome["error"]["message"]
    assert (outcome["created"], len(transfers.memories())) == (0, 1)
    assert numbers(transfers.load(transfers.write("b.jsonl", {"content": "0"}, {"content": "1"}), key="k2"))[0] == 2
    assert transfers.rows("SELECT sum(memories) FROM usage WHERE user_id = 'ana'") == [(3,)]


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        pytest.param([{"content": str(number)} for number in range(3)], None, id="as many memories as there may be"),
        pytest.param(
            [{"content": str(number)} for number in range(4)],
            "a user may have 4 memories, 1 are there",
            id="too many memories",
        ),
        pytest.param([{"content": "x" * 80, "tags": ["ü"]}], None, id="as many bytes as there may be"),
        pytest.param(
            [{"content": "x" * 75, "tags": ["ü"], "metadata": {"a": 1}}],
            "a user may have 100 bytes of memories, 16 are there",
            id="too many bytes",
        ),
        pytest.param([{"id": THERE, "content": "x" * 89}], None, id="a change to as many bytes as there may be"),
        pytest.param(
            [{"id": THERE, "content": "x" * 90}],
            "a user may have 100 bytes of memories, 16 are there",
            id="a change to too many bytes",
        ),
        pytest.param(
            [{"id": THERE, "content": "x"}, {"id": NEW, "content": "x" * 86}],
            None,
            id="a change that makes room for another memory",
        ),
        pytest.param(
            [{"content": "x" * 200, "expires_at": PAST.isoformat()}], None, id="a memory whose time is over already"
        ),
        pytest.param(
            [{"id": THERE, "content": "x" * 200, "expires_at": PAST.isoformat()}],
            None,
            id="a change that is the memory's end",
        ),
        pytest.param([{"content": "0"}] * 5, None, id="lines that are one memory"),
    ],
)
def test_a_dry_run_is_refused_by_the_users_quota_where_the_load_is(
    transfers: Transfers, monkeypatch: pytest.MonkeyPatch, lines: list[JsonValue], refusal: str | None
) -> None:
    expired = {"content": "what has expired makes room", "expires_at": PAST.isoformat()}
    transfers.load(transfers.write("before", {"id": THERE, "content": "there", "metadata": {"a": "bc"}}, expired))
    transfers.store(MemoryDraft(content="another user's"), user_id="bob")
    function.environment.close()
    monkeypatch.setenv("MEMORIES_A_USER", "4")
    monkeypatch.setenv("BYTES_A_USER", "100")
    part = transfers.write("a", *lines)
    before = everything(transfers)

    tried = transfers.load(part, conflict="overwrite", key="k2", dry_run=True)
    assert everything(transfers) == before
    loaded = transfers.load(part, conflict="overwrite", key="k2")

    assert {**tried, "dry_run": False} == loaded
    message = loaded["error"] and loaded["error"]["message"].partition(", and")[0]
    assert message == refusal


def test_a_dry_run_of_what_adds_nothing_is_not_refused_although_the_user_has_too_much(
    transfers: Transfers, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, _) = transfers.store(MemoryDraft(content="one"), MemoryDraft(content="two"))
    monkeypatch.setenv("MEMORIES_A_USER", "1")
    part = transfers.write("a", {"id": one.id, "content": "1"})
    assert numbers(transfers.load(part, conflict="overwrite", dry_run=True)) == (0, 1, 0, 0, 0)
    assert numbers(transfers.load(part, conflict="overwrite")) == (0, 1, 0, 0, 0)
