"""What signs users in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.dynamodb_keys import DynamoDBKeys
    from memory_server.adapters.oidc_tokens import OidcTokens
    from memory_server.services.keys import KeyService, KnownKeys
    from memory_server.services.rate_limits import RateLimits
    from memory_server.services.sign_in import SignIn


def key_store(settings: Settings, clients: Clients) -> DynamoDBKeys:
    """Return the API keys."""
    from memory_server.adapters.dynamodb_keys import DynamoDBKeys

    return DynamoDBKeys(clients.dynamodb, settings.require("keys_table"))


def keys(settings: Settings, clients: Clients | None = None, known: KnownKeys | None = None) -> KeyService:
    """Return what makes keys and revokes them; ``known`` is what this process must then forget."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.keys import KeyService

    return KeyService(key_store(settings, clients or Clients()), SystemClock(), known)


def sign_in(settings: Settings, clients: Clients) -> SignIn:
    """Return what takes credentials."""
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.sign_in import SignIn

    return SignIn(key_store(settings, clients), _tokens(settings), SystemClock())


def rate_limits(settings: Settings, clients: Clients) -> RateLimits:
    """Return what counts requests."""
    from memory_server.adapters.dynamodb_request_counter import DynamoDBRequestCounter
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.rate_limits import RateLimits

    counter = DynamoDBRequestCounter(clients.embedding_cache, settings.require("requests_table"))
    return RateLimits(counter, SystemClock(), settings.requests_a_minute)


def _tokens(settings: Settings) -> OidcTokens | None:
    """Return what takes access tokens, where an issuer of them is named."""
    if not settings.oidc_issuer:
        return None
    from memory_server.adapters.oidc_tokens import OidcTokens
    from memory_server.adapters.system_clock import SystemClock

    return OidcTokens(settings.oidc_issuer, settings.require("oidc_audience"), SystemClock())
