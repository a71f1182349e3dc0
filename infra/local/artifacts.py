"""The built functions and layers, and the nested templates, in a bucket of the emulator."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from botocore.exceptions import ClientError

from infra.local.aws import Aws
from infra.local.build import CACHE, build, folder_of, forget_old, package
from infra.local.translate import Source
from plugin_kit.json_types import JsonObject

_BUCKET: Final = "memory-server-artifacts"
_REPOSITORY: Final = Path(__file__).parents[2]


class ArtifactBucket:
    """Puts what a stack is made of where it can fetch it, building several things at once.

    Entering makes the bucket; leaving waits until all is there, and forgets what no template named this time.
    """

    def __init__(self, aws: Aws, note: Callable[[str], None]) -> None:
        self._s3 = aws.s3
        self._endpoint = aws.endpoint
        self._note = note
        self._workers = ThreadPoolExecutor(max_workers=4)
        self._wanted: dict[str, Future[None]] = {}
        self._there: set[str] = set()

    def __enter__(self) -> Self:
        CACHE.mkdir(exist_ok=True)
        try:
            self._s3.create_bucket(Bucket=_BUCKET)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "BucketAlreadyOwnedByYou":
                raise
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
        self._there = {item["Key"] for page in pages for item in page.get("Contents", []) if "Key" in item}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for upload in self._wanted.values():
                upload.result()
            for key in self._there - self._wanted.keys():
                self._s3.delete_object(Bucket=_BUCKET, Key=key)
            forget_old()

    def put_template(self, path: Path, template: JsonObject) -> str:
        """Put a translated template and return its URL."""
        body = json.dumps(template, sort_keys=True).encode()
        key = f"{path.stem}-{hashlib.sha256(body).hexdigest()[:32]}.json"
        self._want(key, lambda: self._put(key, body))
        return f"{self._endpoint}/{_BUCKET}/{key}"

    def put_code(self, source: Source) -> str:
        """Put the package of a function or a layer, built if need be, and return its s3:// address."""
        folder = folder_of(source)
        key = f"{folder.name}.zip"
        self._want(key, lambda: self._build(source, folder, key))
        return f"s3://{_BUCKET}/{key}"

    def _want(self, key: str, make: Callable[[], None]) -> None:
        if key not in self._wanted:
            self._wanted[key] = self._workers.submit(make)

    def _build(self, source: Source, folder: Path, key: str) -> None:
        if not folder.exists():
            self._note(f"building {os.path.relpath(source.path, _REPOSITORY)}")
        build(source, folder)
        if key not in self._there:
            self._put(key, package(source, folder))

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=_BUCKET, Key=key, Body=body)
