"""API keys are made, listed, rotated and revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from memory_server.domain.errors import Fault, InvalidRequest
from memory_server.domain.keys import ApiKey, hash_of, key_text, new_key_id, new_secret
from memory_server.domain.principals import SCOPES, Scope
from memory_server.services.key_ports import KeyPage, KeyStore
from memory_server.services.ports import Clock

# What is not a memory belongs to no project, so these would reach beyond one.
_IN_PROJECT: Final[frozenset[Scope]] = frozenset({"memories:read", "memories:write"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDraft:
    """A key to be made; ``ApiKey`` says what the fields mean."""

    user_id: str
    scopes: frozenset[Scope]
    name: str = ""
    project: str | None = None
    expires_at: datetime | None = None
    requests_a_minute: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its ``text``, which is told this once."""

    key: ApiKey
    text: str = field(repr=False)


class KnownKeys(Protocol):
    """What this process remembers of keys."""

    def forget(self) -> None:
        """Look every key up again: one has changed."""
        ...


class KeyService:
    """The life of API keys. Whoever calls it is an administrator. Every method may raise Unavailable.

    ``known`` is None in a process that signs nobody in.
    """

    def __init__(self, store: KeyStore, clock: Clock, known: KnownKeys | None = None) -> None:
        self._store = store
        self._clock = clock
        self._known = known

    async def create(self, draft: KeyDraft) -> NewKey:
        """Make a key.

        Raises:
            InvalidRequest: it would have no scope, no future, or a scope that no project confines.
        """
        now = self._clock.now()
        faults = list(_faults(draft, now))
        if faults:
            raise InvalidRequest(faults)
        secret = new_secret()
        key = ApiKey(
            key_id=new_key_id(),
            user_id=draft.user_id,
            name=draft.name,
            scopes=draft.scopes,
            project=draft.project,
            expires_at=draft.expires_at,
            requests_a_minute=draft.requests_a_minute,
            created_at=now,
            secret_sha256=hash_of(secret),
        )
        await self._store.add(key)
        return NewKey(key, key_text(key.key_id, secret))

    async def bootstrap(self, user_id: str) -> NewKey:
        """Make a key with every scope, for whoever sets the server up."""
        return await self.create(KeyDraft(user_id=user_id, scopes=frozenset(SCOPES), name="bootstrap"))

    async def list(self, *, user_id: str | None = None, after: str | None = None, limit: int = 50) -> KeyPage:
        """Return the next keys, of one user or of all."""
        return await self._store.list(user_id=user_id, after=after, limit=limit)

    async def rotate(self, key_id: str) -> NewKey:
        """Give a key a new secret; the old one opens nothing any more.

        Raises:
            KeyNotFound: there is no such key.
        """
        secret = new_secret()
        key = await self._store.set_secret(key_id, hash_of(secret))
        self._forget()
        return NewKey(key, key_text(key_id, secret))

    async def revoke(self, key_id: str) -> None:
        """Forget a key. Raises: KeyNotFound."""
        await self._store.remove(key_id)
        self._forget()

    def _forget(self) -> None:
        if self._known is not None:
            self._known.forget()


def _faults(draft: KeyDraft, now: datetime) -> Iterable[Fault]:
    if not draft.scopes:
        yield Fault(("scopes",), f"name at least one of {', '.join(SCOPES)}")
    if draft.project is not None and not draft.scopes <= _IN_PROJECT:
        outside = ", ".join(sorted(draft.scopes - _IN_PROJECT))
        yield Fault(("scopes",), f"a key for one project may have {', '.join(sorted(_IN_PROJECT))}, not {outside}")
    if draft.expires_at is not None and draft.expires_at <= now:
        yield Fault(("expires_at",), "must lie ahead")
