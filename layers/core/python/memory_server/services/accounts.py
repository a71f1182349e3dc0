"""What a user may, has, and may have."""

from __future__ import annotations

from dataclasses import dataclass

from memory_server.domain.principals import Principal
from memory_server.domain.quotas import Quotas, Usage
from memory_server.services.ports import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a credential gives. ``usage`` is None where it may not tell, ``requests_a_minute`` for any number."""

    usage: Usage | None
    quotas: Quotas
    requests_a_minute: int | None


class AccountService:
    """Tells users of themselves. ``requests_a_minute`` is what each user may ask, 0 for any number."""

    def __init__(self, database: Database, quotas: Quotas, requests_a_minute: int) -> None:
        self._database = database
        self._quotas = quotas
        self._requests_a_minute = requests_a_minute

    async def of(self, principal: Principal) -> Account:
        """Return what ``principal`` may and has. Raises: Unavailable."""
        limits = [number for number in (self._requests_a_minute, principal.requests_a_minute) if number]
        return Account(
            # What lies outside its project does not exist for the holder of a credential for one.
            usage=None if principal.project is not None else await self._database.usage(principal.user_id),
            quotas=self._quotas,
            requests_a_minute=min(limits, default=None),
        )
