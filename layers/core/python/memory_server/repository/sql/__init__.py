"""The statements of the repository: each is a file of this folder, named for what it does."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, LiteralString, cast

from psycopg import sql

_FOLDER: Final = Path(__file__).parent
# What a Memory is made of; a statement asks for them as {memory}.
_COLUMNS: Final = (
    "id, user_id, content, project, session_id, memory_type, tags, importance, metadata, version,"
    " created_at, updated_at, expires_at"
)


@cache
def statement(name: str) -> sql.Composed:
    """Return the statement in ``<name>.sql``, with the columns of a memory put in for ``{memory}``."""
    return _filled(name)


def statement_with(name: str, **parts: sql.Composable) -> sql.Composed:
    """Return the statement with ``parts`` put in too: COPY takes no parameters."""
    return _filled(name, **parts)


def _filled(name: str, **parts: sql.Composable) -> sql.Composed:
    # The text is a file of this package: it is trusted as code is, which is what LiteralString stands for.
    text = cast(LiteralString, (_FOLDER / f"{name}.sql").read_text())
    return sql.SQL(text).format(memory=sql.SQL(_COLUMNS), **parts)
