"""Who was erased, and when: what happened to a user before that is of nobody any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_FRESH_SECONDS: Final = 0.2
_REMEMBERED: Final = 1_000


def digest_of(user_id: str) -> str:
    """Return what stands for a user where the id itself must not be read, or may not stand."""
    return sha256(user_id.encode()).hexdigest()


class Erasures:
    """The erasures in ``table``; where there is none, nobody was erased. An answer holds for 0.2 s."""

    def __init__(
        self, client: Callable[[], DynamoDBClient], table: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        # By the time of day: a monotonic clock may stand still while Lambda has the environment frozen.
        self._known: dict[str, tuple[float, datetime | None]] = {}

    def gone(self, user_id: str | None, since: datetime, *, now: bool = False) -> bool:
        """Return whether the user was erased at ``since`` or after it; with ``now``, no answer of before will do."""
        if user_id is None or not self._table:
            return False
        asked_at, erased_at = self._known.get(user_id, (0.0, None))
        if now or user_id not in self._known or not 0 <= self._clock() - asked_at < _FRESH_SECONDS:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            asked_at, erased_at = self._clock(), self._ask(user_id)
            self._known[user_id] = (asked_at, erased_at)
        return erased_at is not None and since <= erased_at

    def _ask(self, user_id: str) -> datetime | None:
        answer = self._client().get_item(
            TableName=self._table, Key={"user_sha256": {"S": digest_of(user_id)}}, ConsistentRead=True
        )
        text = answer.get("Item", {}).get("erased_at", {}).get("S")
        return None if text is None else datetime.fromisoformat(text)
