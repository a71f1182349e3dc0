"""What plugins have in S3 of a user, whatever plugins there are and were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from plugin_kit.file_names import FOLDERS, prefixes_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

_AT_ONCE: Final = 1000


class S3UserFiles:
    """A UserData."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def erase(self, user_id: str) -> None:
        await call("file store", self._erase, user_id)

    def _erase(self, user_id: str) -> None:
        for plugin_id in self._plugin_ids():
            for prefix in prefixes_of(plugin_id, user_id):
                # What is not whole yet first: afterwards it cannot become a file.
                self._abort(prefix)
                self._delete(prefix)

    def _plugin_ids(self) -> set[str]:
        found: set[str] = set()
        for folder in FOLDERS:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=folder, Delimiter="/"
            )
            folders = [item.get("Prefix", "") for page in pages for item in page.get("CommonPrefixes", [])]
            uploads = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=folder)
            begun = [item.get("Key", "") for page in uploads for item in page.get("Uploads", [])]
            found |= {name.removeprefix(folder).partition("/")[0] for name in (*folders, *begun)}
        return found

    def _abort(self, prefix: str) -> None:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
        for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=upload.get("Key", ""), UploadId=upload.get("UploadId", "")
            )

    def _delete(self, prefix: str) -> None:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": _AT_ONCE}
        )
        for page in pages:
            objects: list[ObjectIdentifierTypeDef] = [{"Key": item.get("Key", "")} for item in page.get("Contents", [])]
            if objects:
                self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
