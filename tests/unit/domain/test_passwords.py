"""Passwords of roles, by the formula that docs/architecture.md states."""

from __future__ import annotations

import base64
import hashlib
import hmac

from memory_server.domain.passwords import role_password


def test_a_password_derives_from_the_secret_and_the_role() -> None:
    digest = hmac.new(b"secret", b"role:memory_app", hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(role_password("secret", "memory_app") + "=") == digest


def test_each_role_and_each_secret_has_a_password_of_its_own() -> None:
    passwords = {role_password(secret, role) for secret in ("one", "two") for role in ("memory_app", "memory_relay")}
    assert len(passwords) == 4
