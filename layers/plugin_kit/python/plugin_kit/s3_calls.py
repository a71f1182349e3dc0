"""Calls of S3 as the kit makes them: in a thread, and with the errors of Files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from plugin_kit.errors import FileChanged, ServiceFailed

# Where a role may not list the bucket, S3 answers 403 for what is not there.
_MISSING: Final = frozenset({"NoSuchKey", "404", "403", "AccessDenied"})

_P = ParamSpec("_P")
_R = TypeVar("_R")


async def in_thread(function: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> _R:
    """Return what ``function`` returns, and let others work meanwhile."""
    return await asyncio.to_thread(function, *arguments, **named)


@contextmanager
def failures(name: str) -> Generator[None]:
    """Raise what S3 refuses as the errors of Files."""
    from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING and error.operation_name in {"GetObject", "HeadObject"}:
            raise FileNotFoundError(f"there is no file {name}") from error
        raise ServiceFailed(f"file {name}: {error}") from error
    except FlexibleChecksumError as error:
        raise FileChanged(f"file {name} is not what was written: {error}") from error
    except BotoCoreError as error:
        raise ServiceFailed(f"file {name}: the storage does not answer: {error}") from error
