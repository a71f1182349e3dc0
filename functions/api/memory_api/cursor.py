"""Where a page of a list ended, as text that a client gives back unread."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from memory_server.domain.queries import Position

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MAX_TEXT_BYTES: Final = 1024
_NOT_A_CURSOR: Final = "must be the next_cursor of the page before"
_FORM: Final = struct.Struct(">q16s")


def encode(position: Position) -> str:
    """Return the cursor that stands for ``position``, in base64url."""
    since_epoch = (position.created_at - _EPOCH) // _MICROSECOND
    return base64.urlsafe_b64encode(_FORM.pack(since_epoch, uuid.UUID(position.memory_id).bytes)).decode()


def decode(cursor: object) -> Position:
    """Return the position that ``cursor`` stands for.

    Raises:
        PydanticCustomError: it is not a cursor that ``encode`` made.
    """
    try:
        since_epoch, memory_id = _FORM.unpack(base64.b64decode(str(cursor), altchars=b"-_", validate=True))
        return Position(_EPOCH + since_epoch * _MICROSECOND, str(uuid.UUID(bytes=memory_id)))
    except (binascii.Error, struct.error, ValueError, OverflowError):
        raise PydanticCustomError("invalid", _NOT_A_CURSOR) from None


def encode_text(text: str) -> str:
    """Return the cursor that stands for ``text``, in base64url."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_text(cursor: object) -> str:
    """Return the text that ``cursor`` stands for.

    Raises:
        PydanticCustomError: it is not a cursor that ``encode_text`` made.
    """
    try:
        text = base64.b64decode(str(cursor), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not 0 < len(text.encode()) <= _MAX_TEXT_BYTES:
        raise PydanticCustomError("invalid", _NOT_A_CURSOR)
    return text


Cursor: TypeAlias = Annotated[Position, BeforeValidator(decode), WithJsonSchema({"type": "string"})]
TextCursor: TypeAlias = Annotated[str, BeforeValidator(decode_text), WithJsonSchema({"type": "string"})]
