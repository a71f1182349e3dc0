"""The files of exports in S3, and the files of plugins that an export lists."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.domain.errors import Unavailable
from memory_server.services.export_ports import StoredFile
from memory_server.services.transfer_ports import SERVER
from plugin_kit.errors import ServiceFailed
from plugin_kit.file_names import TRANSFERS, key_of, prefixes_of
from plugin_kit.file_writer import S3FileWriter

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_COMPONENT: Final = "file store"
_LINK_SECONDS: Final = 24 * 3600


class S3ExportWriter:
    """A file on its way, that counts its bytes."""

    def __init__(self, writer: S3FileWriter) -> None:
        self._writer = writer
        self.size = 0

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)
        self.size += len(chunk)


class S3ExportFiles:
    """Implements export_ports.ExportFiles. The bucket forgets them after a day."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @asynccontextmanager
    async def writer(self, user_id: str, export_id: str) -> AsyncGenerator[S3ExportWriter]:
        writer = S3FileWriter(self._client, self._bucket, partial(key_of, SERVER, user_id), _name(export_id))
        try:
            yield S3ExportWriter(writer)
            await writer.complete()
        except ServiceFailed as error:
            await writer.abort()
            raise Unavailable(_COMPONENT) from error
        except BaseException:
            await writer.abort()
            raise

    async def link(self, user_id: str, export_id: str, *, seconds: int) -> str:
        params = {
            "Bucket": self._bucket,
            "Key": _key(user_id, export_id),
            "ResponseContentDisposition": f'attachment; filename="memories-{export_id}.zip"',
        }
        return await call(
            _COMPONENT, self._client.generate_presigned_url, "get_object", Params=params, ExpiresIn=seconds
        )

    async def delete(self, user_id: str, export_id: str) -> None:
        key = _key(user_id, export_id)
        await call(_COMPONENT, self._client.delete_object, Bucket=self._bucket, Key=key)


class S3UserFileList:
    """Implements export_ports.UserFiles."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def list(self, user_id: str) -> Sequence[StoredFile]:
        return await call(_COMPONENT, self._list, user_id)

    def _list(self, user_id: str) -> list[StoredFile]:
        return [file for plugin_id in self._plugins() for file in self._files(plugin_id, user_id)]

    def _plugins(self) -> list[str]:
        """Return the ids of the plugins that have files."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix="files/", Delimiter="/"
        )
        prefixes = [item.get("Prefix", "") for page in pages for item in page.get("CommonPrefixes", [])]
        return [prefix.split("/")[1] for prefix in prefixes]

    def _files(self, plugin_id: str, user_id: str) -> list[StoredFile]:
        folder, _ = prefixes_of(plugin_id, user_id)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder)
        return [
            StoredFile(
                plugin=plugin_id,
                name=key.removeprefix(folder),
                bytes=item.get("Size", 0),
                changed_at=item["LastModified"],
                url=self._client.generate_presigned_url(
                    "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=_LINK_SECONDS
                ),
            )
            for page in pages
            for item in page.get("Contents", [])
            if (key := item.get("Key")) and "LastModified" in item
        ]


def _key(user_id: str, export_id: str) -> str:
    return key_of(SERVER, user_id, _name(export_id))


def _name(export_id: str) -> str:
    return f"{TRANSFERS}{export_id}.zip"
