"""API keys: ``mms_<id>_<secret><checksum>``.

The prefix and the checksum let a scanner of code find a key that leaked, and a typing error be told from a stranger.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from memory_server.domain.principals import Principal, Scope

PREFIX: Final = "mms_"
_FORMAT: Final = re.compile(r"(mms_([0-9a-f]{16})_([0-9a-f]{64}))([0-9a-f]{8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What the server knows of a key. The secret is not among it.

    ``project`` confines the key to one project, ``requests_a_minute`` how often it may be used; times are in UTC.
    """

    key_id: str
    user_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    secret_sha256: bytes = field(repr=False)
    project: str | None = None
    expires_at: datetime | None = None
    requests_a_minute: int | None = None

    def opens(self, secret_sha256: bytes, *, now: datetime) -> bool:
        """Return whether the secret of this hash opens the key; it is compared whether or not the key has expired."""
        same = hmac.compare_digest(self.secret_sha256, secret_sha256)
        return same and (self.expires_at is None or now < self.expires_at)

    def principal(self) -> Principal:
        """Return whom the key stands for."""
        return Principal(
            user_id=self.user_id,
            scopes=self.scopes,
            project=self.project,
            credential_id=self.key_id,
            requests_a_minute=self.requests_a_minute,
            expires_at=self.expires_at,
        )


def new_key_id() -> str:
    """Return an id that no other key has."""
    return secrets.token_hex(8)


def new_secret() -> str:
    """Return 256 random bits."""
    return secrets.token_hex(32)


def hash_of(secret: str) -> bytes:
    """Return the SHA-256 of ``secret`` (32 bytes). A slow hash protects what people choose; nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode()).digest()


def key_text(key_id: str, secret: str) -> str:
    """Return what the holder of a key sends."""
    body = f"{PREFIX}{key_id}_{secret}"
    return body + _checksum(body)


def parse(text: str) -> tuple[str, str] | None:
    """Return the id and the secret in ``text``, None where it cannot be a key."""
    match = _FORMAT.fullmatch(text)
    if match is None or match[4] != _checksum(match[1]):
        return None
    return match[2], match[3]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
