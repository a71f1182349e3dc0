"""API keys in requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from memory_api.cursor import TextCursor
from memory_api.schemas.fields import FutureTime, Name
from memory_api.schemas.memories import Body
from memory_server.domain.keys import ApiKey
from memory_server.domain.principals import SCOPES, Scope
from memory_server.services.keys import KeyDraft, NewKey

MAX_KEYS: Final = 100
MAX_REQUESTS: Final = 1_000_000


class KeyCreate(Body):
    """A key to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "ada", "scopes": ["memories:read", "memories:write"], "name": "Ada's laptop"}]
        }
    )

    user_id: Name = Field(description="The user whom the key acts for.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES), description="What its holder may do.")
    name: Name | None = Field(None, description="What tells it from the user's other keys.")
    project: Name | None = Field(None, description="Outside this project nothing exists for the key's holder.")
    expires_at: FutureTime | None = Field(None, description="When it ends; it does not where this is left out.")
    requests_a_minute: Annotated[int, Field(ge=1, le=MAX_REQUESTS)] | None = Field(
        None, description="How often it may be used, where that is less than its user may do."
    )

    def draft(self) -> KeyDraft:
        """Return what is to be made."""
        return KeyDraft(
            user_id=self.user_id,
            scopes=frozenset(self.scopes),
            name=self.name or "",
            project=self.project,
            expires_at=self.expires_at,
            requests_a_minute=self.requests_a_minute,
        )


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str
    user_id: str
    name: str
    scopes: list[Scope]
    project: str | None
    created_at: datetime
    expires_at: datetime | None
    requests_a_minute: int | None

    @classmethod
    def of(cls, key: ApiKey) -> KeyOut:
        """Return the answer that shows ``key``."""
        return cls(
            id=key.key_id,
            user_id=key.user_id,
            name=key.name,
            scopes=[scope for scope in SCOPES if scope in key.scopes],
            project=key.project,
            created_at=key.created_at,
            expires_at=key.expires_at,
            requests_a_minute=key.requests_a_minute,
        )


class NewKeyOut(KeyOut):
    """A key with its secret, which no later answer shows."""

    key: str = Field(description="What its holder sends as Authorization: Bearer; it is shown this once.")

    @classmethod
    def made(cls, new: NewKey) -> NewKeyOut:
        """Return the answer that shows ``new``."""
        return cls(**KeyOut.of(new.key).model_dump(), key=new.text)


class KeyList(BaseModel):
    """A page of keys."""

    keys: list[KeyOut]
    next_cursor: str | None


class KeyParameters(Body):
    """The query string of a list of keys."""

    user_id: Name | None = Field(None, description="The keys of this user alone.")
    limit: Annotated[int, Field(ge=1, le=MAX_KEYS)] = 50
    cursor: TextCursor | None = Field(None, description="next_cursor of the page before.")
