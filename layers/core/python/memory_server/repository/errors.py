"""PostgreSQL's errors as errors of the domain: the one place where they are translated."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from memory_server.domain.errors import InvalidRequest, Unavailable


@contextmanager
def database_errors() -> Generator[None]:
    """Translate what the body raises; errors that can only be a slip of ours pass as they are.

    Raises:
        InvalidRequest: a value cannot be stored.
        Unavailable: the database does not answer, or this transaction lost against another: it can be sent again.
    """
    try:
        yield
    except (psycopg.DataError, errors.ProgramLimitExceeded, errors.StatementTooComplex) as error:
        reason = error.diag.message_primary or str(error)
        raise InvalidRequest.of("body", f"a value cannot be stored: {reason}") from error
    except UnicodeEncodeError as error:
        raise InvalidRequest.of("body", "a text holds half of a surrogate pair, which is no character") from error
    except (errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise Unavailable("database", retry_after=1) from error
    except psycopg.OperationalError as error:  # connections that fail, timeouts, and the pool's own errors
        raise Unavailable("database") from error
