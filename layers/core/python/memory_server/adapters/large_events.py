"""Events as text of a bounded size: the arguments of one that is too large are kept in S3."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, cast

from memory_server.adapters.aws import call
from memory_server.services.ports import Erased
from plugin_kit.envelope import Event, decode, encode
from plugin_kit.json_types import JsonObject, JsonValue, dumps

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Below the limits of EventBridge (1 MB a call of 10) and of an item of DynamoDB (400 KB).
MAX_DETAIL_BYTES: Final = 256 * 1024


class LargeEvents:
    """The bucket for what is too large, under ``events/<hash of the user>/<event id>.json``."""

    def __init__(self, s3: S3Client, bucket: str, erasures: Erased) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._erasures = erasures

    async def write(self, event: Event) -> str:
        """Return the JSON of ``event``, with a reference where its arguments would make it too large.

        Raises:
            Unavailable: the bucket did not take the arguments.
        """
        envelope = encode(event)
        detail = dumps(envelope)
        if len(detail.encode()) <= MAX_DETAIL_BYTES:
            return detail
        reference = await self.keep(event.user_id, event.id, envelope.pop("args"))
        if await self._erasures.gone(event.user_id, event.since):
            # The erasure may have been here before this was. Nobody asks for it: hosts drop the event.
            await call("event store", self._s3.delete_object, Bucket=self._bucket, Key=reference["key"])
        return dumps({**envelope, "args_ref": reference})

    async def keep(self, user_id: str | None, event_id: str, values: JsonValue) -> dict[str, str]:
        """Keep ``values`` of a user's event, and return the reference by which hosts find them. Raises: Unavailable."""
        key = f"{_folder(user_id)}{event_id}.json"
        await call(
            "event store",
            self._s3.put_object,
            Bucket=self._bucket,
            Key=key,
            Body=dumps(values).encode(),
            ContentType="application/json",
        )
        return {"bucket": self._bucket, "key": key}

    async def read(self, detail: str) -> Event:
        """Return the event that ``write`` made ``detail`` of.

        Raises:
            Unavailable: the bucket did not give the arguments back.
            EnvelopeError: another version of the server wrote it.
        """
        envelope: JsonObject = json.loads(detail)
        reference = cast("dict[str, str] | None", envelope.get("args_ref"))
        if reference is None:
            return decode(envelope)
        return decode({**envelope, "args": await call("event store", self._args, reference["key"])})

    async def erase(self, user_id: str) -> None:
        """Delete what the bucket has of a user's events. Raises: Unavailable."""
        await call("event store", self._erase, _folder(user_id))

    def _erase(self, folder: str) -> None:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder):
            for item in page.get("Contents", []):
                self._s3.delete_object(Bucket=self._bucket, Key=item.get("Key", ""))

    def _args(self, key: str) -> JsonObject:
        return json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())


def _folder(user_id: str | None) -> str:
    """Return where the events of a user are: what a name of theirs must not hold, no hash holds."""
    return f"events/{hashlib.sha256((user_id or '').encode()).hexdigest()[:32]}/"
