"""What tools and resources are given: the services, and who asks."""

from __future__ import annotations

from dataclasses import dataclass

from memory_server.bootstrap import Api
from memory_server.domain.principals import Principal


@dataclass(frozen=True, slots=True)
class Session:
    """One request of one caller. ``base_url`` is where the caller finds the HTTP API, and ends with a slash."""

    services: Api
    principal: Principal
    base_url: str

    def require(self, scope: str) -> None:
        """Refuse a caller whose credential has not ``scope``: the one place where MCP asks for scopes.

        Raises:
            InsufficientScope: it has not.
        """
        self.principal.require(scope)

    def url_of(self, memory_id: str) -> str:
        """Return where the memory is in the HTTP API."""
        return f"{self.base_url}memories/{memory_id}"
