"""Who makes a request, and what their credential lets them do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

from memory_server.domain.errors import InsufficientScope, OutsideProject

Scope: TypeAlias = Literal["memories:read", "memories:write", "plugins:read", "plugins:admin", "keys:admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """The user that a credential stands for. It comes from the credential, never from a body or a parameter.

    Where ``project`` is given, nothing outside that project exists for the principal. ``credential_id`` names an API
    key; ``requests_a_minute`` is that key's own limit. ``expires_at`` is when the credential ends, if it does.
    """

    user_id: str
    scopes: frozenset[Scope] = frozenset()
    project: str | None = None
    credential_id: str | None = None
    requests_a_minute: int | None = None
    expires_at: datetime | None = None

    def require(self, scope: str) -> None:
        """Raises: InsufficientScope: the credential lacks ``scope``."""
        if scope not in self.scopes:
            raise InsufficientScope(scope)

    def confine(self, project: str | None) -> str | None:
        """Return the project that a request for ``project`` is for: the principal's own, where it has one.

        Raises:
            OutsideProject: the request names another.
        """
        if self.project is None:
            return project
        if project not in (None, self.project):
            raise OutsideProject(self.project)
        return self.project


def known_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """Return those of ``names`` that are scopes of this server."""
    given = frozenset(names)
    return frozenset(scope for scope in SCOPES if scope in given)


LOCAL: Final = Principal("local", frozenset(SCOPES))
