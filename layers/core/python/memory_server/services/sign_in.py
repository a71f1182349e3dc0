"""From a credential to the principal that it stands for."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from memory_server.domain.errors import Unauthenticated
from memory_server.domain.keys import ApiKey, hash_of, parse
from memory_server.domain.principals import Principal
from memory_server.services.key_ports import AccessTokens, KeyStore
from memory_server.services.ports import Clock

# For so long another process may take a key that was revoked or rotated.
MEMORY: Final = timedelta(seconds=5)
_MAX_ENTRIES: Final = 1024
# An id that no key has is compared with this, so that it takes the time that others take.
_NOBODY: Final = b"\0" * 32


class SignIn:
    """Takes API keys and, where ``tokens`` are given, access tokens.

    A key that was right is not looked up again for ``MEMORY``. It is remembered by the hash of its whole text, which
    only its holder reaches: what is wrong always takes the way to the store.
    """

    def __init__(self, keys: KeyStore, tokens: AccessTokens | None, clock: Clock) -> None:
        self._keys = keys
        self._tokens = tokens
        self._clock = clock
        self._recent: OrderedDict[bytes, tuple[ApiKey, datetime]] = OrderedDict()

    async def principal(self, credential: str) -> Principal:
        """Return whom ``credential`` stands for.

        Raises:
            Unauthenticated: unknown, expired, revoked or malformed: nobody learns which.
            Unavailable: what knows the credential does not answer.
        """
        parts = parse(credential)
        if parts is not None:
            return (await self._key(credential, *parts)).principal()
        if self._tokens is None:
            raise Unauthenticated
        return await self._tokens.principal(credential)

    def forget(self) -> None:
        """Look every key up again: one was rotated or revoked by this process."""
        self._recent.clear()

    async def _key(self, text: str, key_id: str, secret: str) -> ApiKey:
        now, name, given = self._clock.now(), hashlib.sha256(text.encode()).digest(), hash_of(secret)
        recent = self._recent.get(name)
        if recent is not None and now < recent[1]:
            key = recent[0]
        else:
            key = await self._keys.get(key_id)
        if key is None:
            key = ApiKey(
                key_id=key_id, user_id="", name="", scopes=frozenset(), created_at=now, expires_at=now,
                secret_sha256=_NOBODY,
            )  # fmt: skip
        if not key.opens(given, now=now):
            raise Unauthenticated
        if recent is None or now >= recent[1]:
            self._remember(name, key, now)
        return key

    def _remember(self, name: bytes, key: ApiKey, now: datetime) -> None:
        self._recent[name] = (key, now + MEMORY)
        self._recent.move_to_end(name)
        if len(self._recent) > _MAX_ENTRIES:
            self._recent.popitem(last=False)
