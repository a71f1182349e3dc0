"""The plugin's files for one user in S3, below the plugin's own prefixes: its role reaches no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from plugin_kit.aws import Aws
from plugin_kit.errors import ServiceFailed
from plugin_kit.file_names import key_of
from plugin_kit.file_writer import S3FileWriter
from plugin_kit.s3_calls import failures, in_thread

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_LINK_SECONDS: Final = 7 * 24 * 3600


class S3Files:
    """Files of ``plugin_id`` in ``bucket`` that are of ``user_id``; None stands for those of no user.

    ``gone`` tells whether the user was erased since the event for which the plugin works: nothing is kept then.
    """

    def __init__(
        self, aws: Aws, bucket: str, plugin_id: str, user_id: str | None, gone: Callable[[], bool] = lambda: False
    ) -> None:
        self._aws = aws
        self._bucket = bucket
        self._plugin_id = plugin_id
        self._user_id = user_id
        self._gone = gone

    async def write(self, name: str, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise ValueError(f"{name} has {len(data)} bytes, over {MAX_BYTES}: write it in chunks, with writer")
        key = self._key_of(name)
        with failures(name):
            await in_thread(self._s3.put_object, Bucket=self._bucket, Key=key, Body=data)
        await self._keep(name)

    async def read(self, name: str, *, start: int = 0, end: int | None = None) -> bytes:
        if start < 0 or (end is not None and end <= start):
            raise ValueError(f"{name}: bytes {start} to {end} are none")
        key = self._key_of(name)
        with failures(name):
            return await in_thread(self._read, key, start, end)

    async def delete(self, name: str) -> None:
        key = self._key_of(name)
        with failures(name):
            await in_thread(self._s3.delete_object, Bucket=self._bucket, Key=key)

    async def size(self, name: str) -> int | None:
        key = self._key_of(name)
        try:
            with failures(name):
                return (await in_thread(self._s3.head_object, Bucket=self._bucket, Key=key))["ContentLength"]
        except FileNotFoundError:
            return None

    async def link(self, name: str, *, seconds: int = 3600, filename: str | None = None) -> str:
        if not 1 <= seconds <= MAX_LINK_SECONDS:
            raise ValueError(f"a link lasts 1 to {MAX_LINK_SECONDS} seconds, not {seconds}")
        params = {"Bucket": self._bucket, "Key": self._key_of(name)}
        if filename is not None:
            params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
        with failures(name):
            return await in_thread(self._s3.generate_presigned_url, "get_object", Params=params, ExpiresIn=seconds)

    @asynccontextmanager
    async def writer(self, name: str) -> AsyncGenerator[S3FileWriter]:
        out = S3FileWriter(self._s3, self._bucket, self._key_of, name)
        try:
            yield out
            await out.complete()
        except BaseException:
            await out.abort()
            raise
        await self._keep(name)

    async def _keep(self, name: str) -> None:
        """Take back what was written too late. An erasure notes the user first: it or this finds the file."""
        if await in_thread(self._gone):
            await self.delete(name)
            raise ServiceFailed(f"file {name}: the user was erased after what led to it, so nothing is kept")

    @property
    def _s3(self) -> S3Client:
        return self._aws.s3

    def _key_of(self, name: str) -> str:
        return key_of(self._plugin_id, self._user_id, name)

    def _read(self, key: str, start: int, end: int | None) -> bytes:
        if start == 0 and end is None:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        last = "" if end is None else end - 1
        return self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes={start}-{last}")["Body"].read()
