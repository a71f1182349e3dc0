"""Webhooks, signed as Standard Webhooks (https://www.standardwebhooks.com) has it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Final

from plugin_kit.json_types import JsonObject, dumps

from .. import settings as read
from ..addresses import Network
from ..errors import InvalidSettings
from ..message import Message
from .posting import post

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = range(24, 65)


def target(settings: JsonObject) -> str:
    """Check the settings ``url`` and ``secret`` and return where they lead."""
    read.only(settings, "url", "secret")
    _secret(settings)
    return read.url(settings).origin


def send(network: Network, settings: JsonObject, message: Message) -> None:
    """Send the message as JSON: type, timestamp and data, in which are the notices and the text of the template."""
    body = dumps(
        {
            "type": message.event_type,
            "timestamp": message.occurred_at,
            "data": {"title": message.title, "text": message.text, "notices": message.data},
        }
    ).encode()
    identifier, moment = f"msg_{message.id}", str(int(time.time()))
    signature = hmac.digest(_secret(settings), f"{identifier}.{moment}.".encode() + body, hashlib.sha256)
    headers = {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    post(network, read.url(settings), body, headers)


def _secret(settings: JsonObject) -> bytes:
    text = read.text(settings, "secret")
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(_PREFIX) or len(secret) not in _SECRET_BYTES:
        raise InvalidSettings(
            "settings.secret: write whsec_ and 24 to 64 random bytes in Base64, as of `openssl rand -base64 32`"
        )
    return secret
