"""The settings of channels at rest: encrypted under a key that the operator sets, and bound to their channel."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, dumps

from .errors import KeyMissing

_SECRET: Final = "encryption_key"  # noqa: S105  # the name of it
_KEY_BYTES: Final = 32
_LEAST_CHARACTERS: Final = 32
_NONCE_BYTES: Final = 12
_HOW: Final = (
    f"an operator sets it with PUT /plugins/notification_service/secrets/encryption_key, to {_LEAST_CHARACTERS} random "
    "characters or more, as `openssl rand -base64 32` writes them"
)


class Sealer:
    """Seals and opens JSON objects with AES-256-GCM; what is sealed for one channel opens for no other.

    The key derives from ``secret``, a random text, by HKDF-SHA256 (RFC 5869).
    """

    def __init__(self, secret: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derivation = HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"notification_service channels")
        self._cipher = AESGCM(derivation.derive(secret.encode()))

    @classmethod
    def of(cls, context: Context) -> Sealer:
        """Return the sealer with the plugin's secret ``encryption_key``.

        Raises:
            KeyMissing: the secret is not set, or is too short; the message says how to set it.
        """
        try:
            text = cast("Mapping[str, str]", context["server_config"]["secrets"])[_SECRET]
        except KeyError:
            raise KeyMissing(f"the secret encryption_key is not set: {_HOW}") from None
        if len(text) < _LEAST_CHARACTERS:
            raise KeyMissing(f"the secret encryption_key is too short: {_HOW}")
        return cls(text)

    def seal(self, settings: JsonObject, channel_id: str) -> str:
        """Return ``settings`` encrypted, as Base64 text."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, dumps(settings).encode(), channel_id.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, channel_id: str) -> JsonObject:
        """Return what was sealed.

        Raises:
            KeyMissing: it was sealed under another key, for another channel, or was changed since.
        """
        from cryptography.exceptions import InvalidTag

        content = base64.b64decode(sealed)
        try:
            text = self._cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], channel_id.encode())
        except InvalidTag:
            raise KeyMissing(
                "the channel's settings were encrypted under another encryption_key: set that one again, or give the "
                "channel its settings anew with PATCH /channels/{id}"
            ) from None
        return json.loads(text)
