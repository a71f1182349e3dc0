"""What is sealed opens with its key, in its place, unchanged; anything else is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from plugins.backup_manager.contents import part_context
from plugins.backup_manager.faults import Damaged, KeyFailed, KeyUnknown
from plugins.backup_manager.keys import Keys, key_name
from tests.plugins.backup_manager.desk import KEY

CONTEXT = part_context("backup", "user", 0)
SEAL = Keys("", {"encryption_key": KEY}).to_seal()


@given(st.binary(max_size=5000))
def test_what_was_sealed_opens_as_it_was(data: bytes) -> None:
    assert SEAL.open(SEAL.seal(data, CONTEXT), CONTEXT, len(data)) == data


@pytest.mark.parametrize(
    "other",
    [part_context("backup", "user", 1), part_context("other", "user", 0), part_context("backup", "other", 0)],
    ids=["part", "backup", "user"],
)
def test_in_the_place_of_another_it_does_not_open(other: dict[str, str]) -> None:
    sealed = SEAL.seal(b"lines", CONTEXT)
    with pytest.raises(KeyFailed, match="context"):
        SEAL.open(sealed, other, 100)


@given(st.data())
def test_a_changed_byte_anywhere_keeps_it_from_opening(data: st.DataObject) -> None:
    sealed = bytearray(SEAL.seal(b"lines of a part", CONTEXT))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeyFailed):
        SEAL.open(bytes(sealed), CONTEXT, 100)


def test_what_would_unpack_to_more_than_was_written_is_not_unpacked() -> None:
    bomb = SEAL.seal(bytes(10_000_000), CONTEXT)
    with pytest.raises(Damaged, match="10000000 bytes"):
        SEAL.open(bomb, CONTEXT, 1000)


def test_the_name_of_a_key_tells_keys_apart_and_nothing_of_them() -> None:
    assert key_name(KEY) == SEAL.name
    assert key_name(KEY + "!") != SEAL.name
    assert SEAL.name not in KEY


def test_a_retired_key_still_opens_and_one_that_is_gone_is_asked_for_by_its_name() -> None:
    sealed = SEAL.seal(b"lines", CONTEXT)
    new = "another-key-that-is-long-enough-to-be-one"
    retired = Keys("", {"encryption_key": new, "retired_keys": f"{'x' * 40}\n{KEY}\n"})
    assert retired.to_open(SEAL.name).open(sealed, CONTEXT, 100) == b"lines"
    with pytest.raises(KeyUnknown, match=f"encrypted with the key {SEAL.name}.*retired_keys"):
        Keys("", {"encryption_key": new}).to_open(SEAL.name)


@pytest.mark.parametrize(
    ("secrets", "message"),
    [({}, "there is no key to encrypt with: set"), ({"encryption_key": "short"}, "has 5 characters: set at least 32")],
)
def test_without_a_key_of_some_length_nothing_is_sealed(secrets: dict[str, str], message: str) -> None:
    with pytest.raises(KeyUnknown, match=message):
        Keys("", secrets).to_seal()


@pytest.fixture
def kms_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("kms", region_name="eu-central-1")  # pyright: ignore[reportUnknownMemberType]  # only ours have stubs
        yield client.create_key()["KeyMetadata"].get("Arn", "")


def test_a_key_of_aws_kms_seals_and_opens_bound_to_the_place(kms_key: str) -> None:
    seal = Keys(kms_key, {}).to_seal()
    sealed = seal.seal(b"lines", CONTEXT)
    # Whatever the config says by then, the backup knows its key.
    opener = Keys("", {"encryption_key": KEY}).to_open(seal.name)
    assert opener.open(sealed, CONTEXT, 100) == b"lines"
    with pytest.raises(KeyFailed, match="context"):
        opener.open(sealed, part_context("backup", "user", 1), 100)


def test_a_key_that_aws_kms_does_not_know_is_no_damage_and_named(kms_key: str) -> None:
    gone = f"{kms_key.rpartition('/')[0]}/{uuid4()}"
    with pytest.raises(KeyFailed, match=r"does not encrypt.*does not exist.*KmsKeyArn"):
        Keys(gone, {}).to_seal().seal(b"lines", CONTEXT)
