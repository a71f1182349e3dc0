"""Idempotency-Keys, in the transaction of the change that they stand for."""

from __future__ import annotations

from memory_server.domain.errors import IdempotencyKeyReused
from memory_server.domain.principals import Principal
from memory_server.repository.pool import Connection
from memory_server.repository.sql import statement
from memory_server.services.ports import StoredResponse


class PostgresIdempotencyKeys:
    """Implements ports.IdempotencyKeys. A key is remembered for 24 hours.

    Who is confined to a project has keys of their own: they learn nothing of those that others of the user sent.
    """

    def __init__(self, connection: Connection, principal: Principal) -> None:
        self._connection = connection
        self._principal = principal
        self._prefix = "" if principal.project is None else f"project {principal.project}: "

    async def claim(self, key: str, fingerprint: bytes) -> StoredResponse | None:
        key = self._prefix + key
        parameters = {"user_id": self._principal.user_id, "key": key, "fingerprint": fingerprint}
        claimed = await self._connection.execute(statement("claim_key"), parameters)
        if await claimed.fetchone() is not None:
            await self._connection.execute(statement("forget_keys"), {"key": key})
            return None
        cursor = await self._connection.execute(statement("get_key"), {"key": key})
        row = await cursor.fetchone()
        if row is None or row["memory_ids"] is None:
            return None
        if row["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused
        return StoredResponse(fingerprint, tuple(map(str, row["memory_ids"])), tuple(row["created"]))

    async def store(self, key: str, response: StoredResponse) -> None:
        await self._connection.execute(
            statement("store_key"),
            {
                "key": self._prefix + key,
                "fingerprint": response.fingerprint,
                "memory_ids": list(response.memory_ids),
                "created": list(response.created),
            },
        )
