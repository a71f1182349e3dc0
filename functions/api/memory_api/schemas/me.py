"""What a user is told of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias, cast

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from memory_api.schemas.fields import fault
from memory_api.schemas.memories import Body
from memory_server.domain.exports import DataExport, ExportStatus
from memory_server.domain.principals import SCOPES, Principal, Scope
from memory_server.services.accounts import Account
from memory_server.services.exports import Download

_WORDS: Final = "erase everything"
_Limit = Annotated[int | None, Field(description="null for any number.")]


def _check_words(value: object) -> object:
    if value != _WORDS:
        raise fault(f"must be the words {_WORDS!r}, as in DELETE /me?confirm=erase%20everything: there is no way back")
    return value


Words: TypeAlias = Annotated[Literal["erase everything"], BeforeValidator(_check_words)]


class ErasureParameters(Body):
    """The query string of an erasure."""

    confirm: Words = Field(description="There is no way back: say so.")

    @model_validator(mode="before")
    @classmethod
    def _take_what_is_missing_for_none(cls, values: object) -> object:
        # A field that is left out is never shown to its type, which alone knows the words.
        return {"confirm": None, **cast("Mapping[str, object]", values)} if isinstance(values, Mapping) else values


class UsageOut(BaseModel):
    """What is stored. A memory's bytes are those of its content, its tags and its metadata."""

    memories: int
    bytes: int
    history_bytes: int


class LimitsOut(BaseModel):
    """What a user may do and have."""

    memories: _Limit
    bytes: Annotated[int | None, Field(description="Of memories, and of their history again; null for any number.")]
    requests_a_minute: _Limit


class Me(BaseModel):
    """Whom a credential stands for, what they may, and what they have."""

    user_id: str
    key_id: str | None = Field(description="The id of the API key; null for an access token.")
    scopes: list[Scope]
    project: str | None = Field(description="Outside this project nothing exists for the credential.")
    expires_at: datetime | None = Field(description="When the credential ends, if it does.")
    usage: UsageOut | None = Field(description="null for a credential of one project.")
    limits: LimitsOut

    @classmethod
    def of(cls, principal: Principal, account: Account) -> Me:
        """Return the answer about ``principal``."""
        usage = account.usage
        return cls(
            user_id=principal.user_id,
            key_id=principal.credential_id,
            scopes=[scope for scope in SCOPES if scope in principal.scopes],
            project=principal.project,
            expires_at=principal.expires_at,
            usage=usage and UsageOut(memories=usage.memories, bytes=usage.bytes, history_bytes=usage.history_bytes),
            limits=LimitsOut(
                memories=account.quotas.memories or None,
                bytes=account.quotas.bytes or None,
                requests_a_minute=account.requests_a_minute,
            ),
        )


class ExportOut(BaseModel):
    """An export of all that is the user's."""

    id: str
    status: ExportStatus
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime = Field(description="When it is gone.")
    lines: int = Field(description="How much is written by now: a line is a row of a table.")
    bytes: int | None = Field(description="The size of the file, once it is there.")
    error: str | None

    @classmethod
    def of(cls, export: DataExport, now: datetime) -> ExportOut:
        """Return the answer that shows ``export``."""
        status = export.status(now)
        died = "it did not end: ask for another" if status == "failed" and export.error is None else None
        return cls(
            id=export.export_id,
            status=status,
            created_at=export.created_at,
            ended_at=export.ended_at,
            expires_at=export.expires_at,
            lines=export.lines,
            bytes=export.size,
            error=export.error or died,
        )


class DownloadOut(BaseModel):
    """Where a file is to be had by whoever has the URL."""

    url: str
    expires_at: datetime


class ExportWithFile(ExportOut):
    """An export, with its file once it is there."""

    download: DownloadOut | None

    @classmethod
    def with_file(cls, export: DataExport, download: Download | None, now: datetime) -> ExportWithFile:
        """Return the answer that shows ``export`` and where its file is."""
        file = download and DownloadOut(url=download.url, expires_at=download.expires_at)
        return cls(**ExportOut.of(export, now).model_dump(), download=file)


class ExportList(BaseModel):
    """The exports that are there, newest first."""

    exports: list[ExportOut]
