"""The journal of the emulated DynamoDB: what was written is there again, whatever ended the process."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from infra.local.aws_journal import Attributes, Change, Journal

KEY: Attributes = {"plugin_id": {"S": "echo"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dynamodb.journal"


def item(**attributes: dict[str, object]) -> Attributes:
    return {**KEY, **attributes}


def put(value: Attributes | None, key: Attributes = KEY) -> Change:
    return Change(table="plugins", key=key, item=value)


def items_at_next_start(path: Path, journal: Journal) -> list[Attributes]:
    journal.close()
    with closing(Journal(path)) as again:
        return again.items("plugins")


def test_the_last_state_of_an_item_is_there_again(path: Path) -> None:
    journal = Journal(path)
    journal.write([put(item(enabled={"BOOL": True}))])
    journal.write([put(item(enabled={"BOOL": False}))])

    assert items_at_next_start(path, journal) == [item(enabled={"BOOL": False})]


def test_a_deleted_item_stays_deleted(path: Path) -> None:
    journal = Journal(path)
    journal.write([put(item())])
    journal.write([put(None)])

    assert items_at_next_start(path, journal) == []


def test_an_expired_item_is_forgotten_and_another_is_kept(path: Path) -> None:
    other: Attributes = {"plugin_id": {"S": "other"}}
    late: Attributes = {**other, "expires_at": {"N": str(int(time.time()) + 3600)}}
    journal = Journal(path)
    journal.write([put(item(expires_at={"N": str(int(time.time()) - 1)})), put(late, other)])

    assert items_at_next_start(path, journal) == [late]


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_line_that_was_cut_short_counts_for_nothing(path: Path, cut: int) -> None:
    journal = Journal(path)
    journal.write([put(item(count={"N": "1"}))])
    journal.write([put(item(count={"N": "2"})), put(item(), {"plugin_id": {"S": "other"}})])
    journal.close()
    path.write_bytes(path.read_bytes()[:-cut])

    again = Journal(path)
    again.write([put(item(name={"S": "after"}), {"plugin_id": {"S": "third"}})])

    assert items_at_next_start(path, again) == [item(count={"N": "1"}), item(name={"S": "after"})]


def test_the_file_is_written_anew_before_it_grows_without_end(path: Path) -> None:
    journal = Journal(path, rewrite_bytes=1000)
    for count in range(200):
        journal.write([put(item(count={"N": str(count)}))])

    assert path.stat().st_size < 1500
    assert items_at_next_start(path, journal) == [item(count={"N": "199"})]
