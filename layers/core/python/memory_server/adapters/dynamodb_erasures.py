"""Who was erased, in DynamoDB, where the hosts of plugins see it (plugin_kit.erasures)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from plugin_kit.erasures import Erasures, digest_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_COMPONENT: Final = "erasures"
# Longer than any queue keeps a message and any grant holds.
_KEPT: Final = timedelta(days=16)


class DynamoDBErasures:
    """An Erased."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._known = Erasures(lambda: client, table)

    async def note(self, user_id: str, erased_at: datetime) -> None:
        item = {
            "user_sha256": {"S": digest_of(user_id)},
            "erased_at": {"S": erased_at.isoformat()},
            "expires_at": {"N": str(int((erased_at + _KEPT).timestamp()))},
        }
        await call(_COMPONENT, partial(self._client.put_item, TableName=self._table, Item=item))

    async def gone(self, user_id: str | None, since: datetime) -> bool:
        return await call(_COMPONENT, partial(self._known.gone, user_id, since, now=True))
