"""The passwords of the database's roles: they derive from the server's secret, so none is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac


def role_password(secret: str, role: str) -> str:
    """Return the password of ``role``: url-safe base64 of ``HMAC-SHA256(secret, "role:" + role)``."""
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), f"role:{role}".encode(), hashlib.sha256)).decode()
