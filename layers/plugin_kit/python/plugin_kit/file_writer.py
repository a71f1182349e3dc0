"""A large file on its way to S3, made of what is written and of files that are there: S3 copies those itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from plugin_kit.s3_calls import failures, in_thread

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART_BYTES: Final = 8 * 1024 * 1024
MIN_PART_BYTES: Final = 5 * 1024 * 1024
"""S3 takes no smaller part, but for the last."""

_MAX_COPIED_BYTES: Final = 5 * 1024 * 1024 * 1024


class S3FileWriter:
    """A file that comes in parts where it is larger than one. It holds a part and a chunk, or a file that is copied.

    ``key_of`` gives the key of a file by its name.
    """

    def __init__(self, s3: S3Client, bucket: str, key_of: Callable[[str], str], name: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key_of = key_of
        self._name = name
        self._key = key_of(name)
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts = 0
        self._copies: list[asyncio.Task[None]] = []
        self._tags: dict[int, str] = {}

    async def write(self, chunk: bytes) -> None:
        self._buffer += chunk
        while len(self._buffer) >= PART_BYTES:
            await self._upload(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    async def copy(self, name: str) -> int:
        key = self._key_of(name)
        with failures(name):
            size = (await in_thread(self._s3.head_object, Bucket=self._bucket, Key=key))["ContentLength"]
        if len(self._buffer) >= MIN_PART_BYTES:
            await self._upload(bytes(self._buffer))
            self._buffer.clear()
        if not self._buffer and MIN_PART_BYTES <= size <= _MAX_COPIED_BYTES:
            self._copies.append(asyncio.create_task(self._copy(await self._begun(), self._next(), key, name)))
        else:
            with failures(name):
                body = (await in_thread(self._s3.get_object, Bucket=self._bucket, Key=key))["Body"]
                while chunk := await in_thread(body.read, PART_BYTES):
                    await self.write(chunk)
        return size

    async def complete(self) -> None:
        """Let the file be there."""
        if self._upload_id is None:
            with failures(self._name):
                await in_thread(self._s3.put_object, Bucket=self._bucket, Key=self._key, Body=bytes(self._buffer))
            return
        if self._buffer:
            await self._upload(bytes(self._buffer))
        await asyncio.gather(*self._copies)
        with failures(self._name):
            await in_thread(
                self._s3.complete_multipart_upload,
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                MultipartUpload={
                    "Parts": [{"PartNumber": number, "ETag": tag} for number, tag in sorted(self._tags.items())]
                },
            )

    async def abort(self) -> None:
        """Let go of what was sent."""
        await asyncio.gather(*self._copies, return_exceptions=True)
        if self._upload_id is not None:
            with failures(self._name):
                await in_thread(
                    self._s3.abort_multipart_upload, Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
                )

    async def _begun(self) -> str:
        if self._upload_id is None:
            with failures(self._name):
                begun = await in_thread(self._s3.create_multipart_upload, Bucket=self._bucket, Key=self._key)
            self._upload_id = begun["UploadId"]
        return self._upload_id

    def _next(self) -> int:
        self._parts += 1
        return self._parts

    async def _upload(self, part: bytes) -> None:
        upload_id, number = await self._begun(), self._next()
        with failures(self._name):
            sent = await in_thread(
                self._s3.upload_part,
                Bucket=self._bucket,
                Key=self._key,
                UploadId=upload_id,
                PartNumber=number,
                Body=part,
            )
        self._tags[number] = sent["ETag"]

    async def _copy(self, upload_id: str, number: int, key: str, name: str) -> None:
        with failures(name):
            copied = await in_thread(
                self._s3.upload_part_copy,
                Bucket=self._bucket,
                Key=self._key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": key},
            )
        self._tags[number] = copied["CopyPartResult"].get("ETag", "")
