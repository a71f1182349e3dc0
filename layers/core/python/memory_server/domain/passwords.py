"""The passwords of the database's roles: all derive from the server's one secret, so none is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac


def role_password(secret: str, role: str) -> str:
    """Return the password of the PostgreSQL role ``role`` (43 characters of url-safe base64)."""
    digest = hmac.new(secret.encode(), f"role:{role}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
