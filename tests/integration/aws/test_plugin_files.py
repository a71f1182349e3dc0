"""A plugin's files in S3."""

from __future__ import annotations

import hashlib
import urllib.request

import pytest

from plugin_kit.aws import Aws
from plugin_kit.errors import ServiceFailed
from plugin_kit.files import PART_BYTES, S3Files
from tests.fixtures.aws import BUCKET, AwsStack

ADA = hashlib.sha256(b"ada").hexdigest()


@pytest.fixture
def files(aws: AwsStack) -> S3Files:
    assert aws.clients.s3.head_bucket(Bucket=BUCKET), "the bucket is made by the stack"
    return S3Files(Aws(), BUCKET, "my_plugin", "ada")


async def test_a_file_is_written_read_measured_and_deleted(files: S3Files) -> None:
    await files.write("a/b.txt", b"one")
    assert (await files.read("a/b.txt"), await files.size("a/b.txt")) == (b"one", 3)
    await files.delete("a/b.txt")
    assert await files.size("a/b.txt") is None
    with pytest.raises(FileNotFoundError, match=r"there is no file a/b\.txt"):
        await files.read("a/b.txt")


async def test_files_are_below_the_plugins_own_prefixes_and_there_below_the_users(
    files: S3Files, aws: AwsStack
) -> None:
    await files.write("a.txt", b"")
    await files.write("transfers/a.txt", b"")
    keys = [item["Key"] for item in aws.clients.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert keys == [f"files/my_plugin/{ADA}/a.txt", f"transfers/my_plugin/{ADA}/a.txt"]


@pytest.mark.parametrize("other", ["bob", "", "nobody", "../ada", "ada/x", None])
async def test_a_name_leads_to_no_file_of_another_user(files: S3Files, other: str | None) -> None:
    theirs = S3Files(Aws(), BUCKET, "my_plugin", other)
    await files.write("a.txt", b"ada's")
    await theirs.write("a.txt", b"theirs")
    await theirs.delete("x/a.txt")
    assert (await files.read("a.txt"), await theirs.read("a.txt")) == (b"ada's", b"theirs")


@pytest.mark.parametrize("size", [0, 10, PART_BYTES, 2 * PART_BYTES + 1])
async def test_a_file_that_is_written_in_chunks_is_whole(files: S3Files, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    async with files.writer("large") as out:
        for begin in range(0, size, 3_000_000):
            await out.write(data[begin : begin + 3_000_000])
    assert await files.read("large") == data


async def _write_half(files: S3Files) -> None:
    async with files.writer("large") as out:
        await out.write(b"x" * (PART_BYTES + 1))
        raise TypeError


async def test_a_file_whose_writer_fails_is_not_there_and_leaves_no_parts(files: S3Files, aws: AwsStack) -> None:
    with pytest.raises(TypeError):
        await _write_half(files)
    assert await files.size("large") is None
    assert "Uploads" not in aws.clients.s3.list_multipart_uploads(Bucket=BUCKET)


async def test_a_link_downloads_the_file_under_its_name(files: S3Files) -> None:
    await files.write("a.txt", b"one")
    link = await files.link("a.txt", seconds=60, filename="Ünl 1.txt")
    assert "X-Amz-Expires=60" in link
    assert f"my_plugin/{ADA}/a.txt" in urllib.request.url2pathname(link)


@pytest.mark.usefixtures("aws")
async def test_a_bucket_that_is_not_there_is_a_failed_service() -> None:
    with pytest.raises(ServiceFailed, match=r"file a\.txt: .*NoSuchBucket"):
        await S3Files(Aws(), "no-such-bucket", "my_plugin", "ada").write("a.txt", b"")
