"""Grants: signed tokens that say which plugins may act for which user in which event.

A grant is ``base64url(JSON claims) + "." + base64url(HMAC-SHA256(key, claims))``, both without padding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from memory_server.domain.errors import PermissionDenied
from plugin_kit.json_types import JsonObject, dumps

# One sentence for every way in which a token can be wrong: it tells a forger nothing.
_REFUSAL: Final = "the call carries no valid grant: make it from within a hook, with the context of that hook's event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave for ``plugins`` to act for ``user_id`` because of the event ``event_id``, until ``expires_at``.

    Where the event is no user's, the grant names the event and gives leave for nothing. ``caused_by`` are the plugins
    whose acts led to the event, the latest one last. ``expires_at`` is in UTC, in whole seconds. ``since`` is when what
    led to the event happened: where the user is erased after that, the leave is gone.
    """

    event_id: str
    user_id: str | None
    plugins: tuple[str, ...]
    expires_at: datetime
    since: datetime
    caused_by: tuple[str, ...] = ()


def sign(grant: Grant, key: bytes) -> str:
    """Return the token of ``grant``."""
    claims = dumps(
        {
            "event": grant.event_id,
            "user": grant.user_id,
            "plugins": list(grant.plugins),
            "since": grant.since.isoformat(),
            "exp": int(grant.expires_at.timestamp()),
            "caused_by": list(grant.caused_by),
        }
    ).encode()
    return f"{_to_base64(claims)}.{_to_base64(_signature(claims, key))}"


def verify(token: str | None, key: bytes, *, plugin_id: str, now: datetime) -> Grant:
    """Return the grant of ``token`` if it is ours, has not expired, and was made for ``plugin_id`` among others.

    Raises:
        PermissionDenied: anything else; the message does not say which.
    """
    try:
        claims_text, signature_text = (token or "").split(".")
        claims, signature = _from_base64(claims_text), _from_base64(signature_text)
    except (ValueError, binascii.Error):
        raise PermissionDenied(_REFUSAL) from None
    # Compared before the claims are parsed: what is not ours is not read.
    if not hmac.compare_digest(signature, _signature(claims, key)):
        raise PermissionDenied(_REFUSAL)
    grant = _parse(cast(JsonObject, json.loads(claims)))
    if plugin_id not in grant.plugins or grant.expires_at <= now:
        raise PermissionDenied(_REFUSAL)
    return grant


def grant_key(secret: str) -> bytes:
    """Return the key that the server's ``secret`` gives for grants (32 bytes)."""
    return hmac.digest(secret.encode(), b"grant", hashlib.sha256)


def _parse(claims: JsonObject) -> Grant:
    return Grant(
        event_id=str(claims["event"]),
        user_id=cast("str | None", claims["user"]),
        plugins=tuple(cast("list[str]", claims["plugins"])),
        expires_at=datetime.fromtimestamp(cast(int, claims["exp"]), UTC),
        since=datetime.fromisoformat(str(claims["since"])),
        caused_by=tuple(cast("list[str]", claims["caused_by"])),
    )


def _signature(claims: bytes, key: bytes) -> bytes:
    return hmac.digest(key, claims, hashlib.sha256)


def _to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
