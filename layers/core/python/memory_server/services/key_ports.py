"""What sign-in needs from outside, as Protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from memory_server.domain.keys import ApiKey
from memory_server.domain.principals import Principal


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some keys, and the id after which there are more."""

    keys: tuple[ApiKey, ...]
    next: str | None


class KeyStore(Protocol):
    """The API keys. Every method may raise Unavailable."""

    async def add(self, key: ApiKey) -> None: ...

    async def get(self, key_id: str) -> ApiKey | None:
        """Return the key as it is now, None where there is none."""
        ...

    async def list(self, *, user_id: str | None, after: str | None, limit: int) -> KeyPage:
        """Return the next keys, of one user or of all, in no order that means something."""
        ...

    async def set_secret(self, key_id: str, secret_sha256: bytes) -> ApiKey:
        """Raises: KeyNotFound."""
        ...

    async def remove(self, key_id: str) -> None:
        """Raises: KeyNotFound."""
        ...


class RequestCounter(Protocol):
    """How often each of some names was counted in a minute, by all processes together."""

    async def add(self, name: str, minute: int) -> int:
        """Count once more and return how often it was by now. Raises: Unavailable."""
        ...


class AccessTokens(Protocol):
    """Access tokens of an OpenID Connect issuer."""

    async def principal(self, token: str) -> Principal:
        """Return whom ``token`` stands for.

        Raises:
            Unauthenticated: it is not a token for this server, or not valid now.
            Unavailable: the issuer's keys are not known, and it does not answer.
        """
        ...
