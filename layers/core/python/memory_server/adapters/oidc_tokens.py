"""Access tokens of an OpenID Connect issuer: JWTs, checked against the keys that it publishes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from urllib.request import urlopen

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from memory_server.domain.errors import Unauthenticated, Unavailable
from memory_server.domain.principals import Principal, known_scopes
from memory_server.services.ports import Clock
from plugin_kit.json_types import JsonObject

# Those with a public key. With HMAC among them, who knows the public key could sign.
ALGORITHMS: Final = ("RS256", "ES256")
KEYS_LIFETIME: Final = timedelta(minutes=10)
# A token with a key that is not known makes us ask for the keys again, but strangers cannot make us ask all the time.
ASK_AGAIN_AFTER: Final = timedelta(seconds=30)
LEEWAY_SECONDS: Final = 30
_TIMEOUT_SECONDS: Final = 5
_MAX_BYTES: Final = 256 * 1024
_DOTS: Final = 2
_COMPONENT: Final = "token issuer"
# A token that ends later than dates go ends then.
_FAR: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()

logger = logging.getLogger(__name__)


class OidcTokens:
    """AccessTokens of ``issuer`` for ``audience``. The user is the token's ``sub``."""

    def __init__(self, issuer: str, audience: str, clock: Clock) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._keys: KeySet | None = None
        self._asked_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def principal(self, token: str) -> Principal:
        if token.count(".") != _DOTS:
            raise Unauthenticated
        try:
            return self._check(token, await self._key_set(KEYS_LIFETIME))
        except InvalidKeyIdError:
            pass  # the issuer may have a new key
        except (JoseError, ValueError):
            raise Unauthenticated from None
        try:
            return self._check(token, await self._key_set(ASK_AGAIN_AFTER))
        except (JoseError, ValueError):
            raise Unauthenticated from None

    def _check(self, token: str, keys: KeySet) -> Principal:
        """Raises: JoseError, ValueError: the token is not right."""
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(claims)
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject:
            raise ValueError("the token's sub is no text")
        ends = datetime.fromtimestamp(int(min(claims["exp"], _FAR)), UTC)
        return Principal(subject, known_scopes(_scopes(claims)), expires_at=ends)

    async def _key_set(self, lifetime: timedelta) -> KeySet:
        """Return the issuer's keys, asked for at most ``lifetime`` ago; older ones where it does not answer now."""
        async with self._lock:
            now = self._clock.now()
            if self._keys is None or self._asked_at is None or now - self._asked_at >= lifetime:
                try:
                    self._keys = await asyncio.to_thread(self._fetch)
                except (OSError, ValueError, JoseError) as error:
                    logger.warning("the keys of %s cannot be had: %s", self._issuer, error)
                    if self._keys is None:
                        raise Unavailable(_COMPONENT) from error
                self._asked_at = now
            return self._keys

    def _fetch(self) -> KeySet:
        metadata = _json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if metadata.get("issuer") != self._issuer:
            raise ValueError(f"its metadata is that of {metadata.get('issuer')!r}")
        keys = cast("Sequence[JsonObject]", _json(str(metadata["jwks_uri"]))["keys"])
        # Symmetric keys and those of other kinds have no place here, whatever the issuer publishes.
        return KeySet.import_key_set({"keys": [dict(key) for key in keys if key.get("kty") in ("RSA", "EC")]})  # pyright: ignore[reportArgumentType]  # joserfc's own types for a JWK are narrower than JSON


def _scopes(claims: JsonObject) -> Sequence[str]:
    """Return the scopes of a token: ``scope`` is text, ``scp`` text or a list, by issuer."""
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            return value.split()
        if isinstance(value, list):
            return [str(item) for item in value]
    return ()


def _json(url: str) -> JsonObject:
    if not url.startswith("https://") and not url.startswith(("http://127.0.0.1:", "http://localhost:")):
        raise ValueError(f"{url!r} is no https URL")
    with urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # its scheme was checked
        value: object = json.loads(answer.read(_MAX_BYTES))
    if not isinstance(value, dict):
        raise ValueError(f"{url} answered what is no JSON object")  # noqa: TRY004  # an answer, not an argument
    return cast(JsonObject, value)
