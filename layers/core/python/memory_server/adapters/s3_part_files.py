"""The files of plugins in S3, as the server reads and writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from memory_server.adapters.aws import call
from memory_server.domain.errors import InvalidRequest, NoSuchFile, UserErased
from memory_server.services.ports import Erased
from memory_server.services.transfer_requests import Caller
from plugin_kit.file_names import key_of

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

_COMPONENT: Final = "file store"
_CHUNK_BYTES: Final = 1024 * 1024
# A content of 64 KiB, each character of it escaped, with metadata and a vector, has far less.
_MAX_LINE_BYTES: Final = 2 * 1024 * 1024


class S3PartFiles:
    """Implements transfer_ports.PartFiles."""

    def __init__(self, client: S3Client, bucket: str, erasures: Erased) -> None:
        self._client = client
        self._bucket = bucket
        self._erasures = erasures

    async def write(self, caller: Caller, name: str, data: bytes) -> None:
        key = key_of(caller.plugin_id, caller.user_id, name)
        await call(_COMPONENT, self._client.put_object, Bucket=self._bucket, Key=key, Body=data)
        if await self._erasures.gone(caller.user_id, caller.since):
            # The erasure may have been here before this was.
            await call(_COMPONENT, self._client.delete_object, Bucket=self._bucket, Key=key)
            raise UserErased

    async def lines(self, caller: Caller, name: str) -> AsyncIterator[bytes]:
        """Yield the lines; at no time more of the file than a chunk and a line is in memory."""
        body = await call(_COMPONENT, self._open, key_of(caller.plugin_id, caller.user_id, name))
        rest = b""
        while chunk := await call(_COMPONENT, body.read, _CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > _MAX_LINE_BYTES:
                raise InvalidRequest.of("line", f"has over {_MAX_LINE_BYTES} bytes: a part is JSON Lines")
        if rest:
            yield rest

    def _open(self, key: str) -> StreamingBody:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchKey", "AccessDenied"}:
                raise NoSuchFile.of("parts", "there is no such file: write it before it is loaded") from error
            raise
