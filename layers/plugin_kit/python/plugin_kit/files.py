"""The plugin's files for one user in S3, below the plugin's own prefixes: its role reaches no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar
from urllib.parse import quote

from plugin_kit.aws import Aws
from plugin_kit.errors import FileChanged, ServiceFailed
from plugin_kit.file_names import key_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

MAX_BYTES: Final = 64 * 1024 * 1024
PART_BYTES: Final = 8 * 1024 * 1024
MAX_LINK_SECONDS: Final = 7 * 24 * 3600

# Where a role may not list the bucket, S3 answers 403 for what is not there.
_MISSING: Final = frozenset({"NoSuchKey", "404", "403", "AccessDenied"})

_P = ParamSpec("_P")
_R = TypeVar("_R")


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
        with _failures(name):
            await _in_thread(self._s3.put_object, Bucket=self._bucket, Key=key, Body=data)
        await self._keep(name)

    async def read(self, name: str) -> bytes:
        key = self._key_of(name)
        with _failures(name):
            return await _in_thread(self._read, key)

    async def delete(self, name: str) -> None:
        key = self._key_of(name)
        with _failures(name):
            await _in_thread(self._s3.delete_object, Bucket=self._bucket, Key=key)

    async def size(self, name: str) -> int | None:
        key = self._key_of(name)
        try:
            with _failures(name):
                return (await _in_thread(self._s3.head_object, Bucket=self._bucket, Key=key))["ContentLength"]
        except FileNotFoundError:
            return None

    async def link(self, name: str, *, seconds: int = 3600, filename: str | None = None) -> str:
        if not 1 <= seconds <= MAX_LINK_SECONDS:
            raise ValueError(f"a link lasts 1 to {MAX_LINK_SECONDS} seconds, not {seconds}")
        params = {"Bucket": self._bucket, "Key": self._key_of(name)}
        if filename is not None:
            params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
        with _failures(name):
            return await _in_thread(self._s3.generate_presigned_url, "get_object", Params=params, ExpiresIn=seconds)

    @asynccontextmanager
    async def writer(self, name: str) -> AsyncGenerator[S3FileWriter]:
        out = S3FileWriter(self._s3, self._bucket, self._key_of(name), name)
        try:
            yield out
            await out.complete()
            await self._keep(name)
        except BaseException:
            await out.abort()
            raise

    async def _keep(self, name: str) -> None:
        """Take back what was written too late. An erasure notes the user first: it or this finds the file."""
        if await _in_thread(self._gone):
            await self.delete(name)
            raise ServiceFailed(f"file {name}: the user was erased after what led to it, so nothing is kept")

    @property
    def _s3(self) -> S3Client:
        return self._aws.s3

    def _key_of(self, name: str) -> str:
        return key_of(self._plugin_id, self._user_id, name)

    def _read(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()


class S3FileWriter:
    """A file on its way to S3: in parts where it is larger than one. It holds at most one part and one chunk."""

    def __init__(self, s3: S3Client, bucket: str, key: str, name: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._name = name
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    async def write(self, chunk: bytes) -> None:
        self._buffer += chunk
        while len(self._buffer) >= PART_BYTES:
            await self._upload(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    async def complete(self) -> None:
        """Let the file be there."""
        if self._upload_id is None:
            with _failures(self._name):
                await _in_thread(self._s3.put_object, Bucket=self._bucket, Key=self._key, Body=bytes(self._buffer))
            return
        if self._buffer:
            await self._upload(bytes(self._buffer))
        with _failures(self._name):
            await _in_thread(
                self._s3.complete_multipart_upload,
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
            )
        self._upload_id = None

    async def abort(self) -> None:
        """Let go of what was sent."""
        if self._upload_id is not None:
            with _failures(self._name):
                await _in_thread(
                    self._s3.abort_multipart_upload, Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
                )

    async def _upload(self, part: bytes) -> None:
        number = len(self._parts) + 1
        with _failures(self._name):
            if self._upload_id is None:
                begun = await _in_thread(self._s3.create_multipart_upload, Bucket=self._bucket, Key=self._key)
                self._upload_id = begun["UploadId"]
            sent = await _in_thread(
                self._s3.upload_part,
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=part,
            )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


async def _in_thread(function: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> _R:
    return await asyncio.to_thread(function, *arguments, **named)


@contextmanager
def _failures(name: str) -> Generator[None]:
    """Raise what S3 refuses as the errors of Files."""
    from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING and error.operation_name in {"GetObject", "HeadObject"}:
            raise FileNotFoundError(f"there is no file {name}") from error
        raise ServiceFailed(f"file {name}: {error}") from error
    except FlexibleChecksumError as error:
        raise FileChanged(f"file {name} is not what was written: {error}") from error
    except BotoCoreError as error:
        raise ServiceFailed(f"file {name}: the storage does not answer: {error}") from error
