"""The jobs and uploads of one user, in the plugin's schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from plugin_kit.context import DatabaseService
from plugin_kit.json_types import JsonObject

from .jobs import Change, Job, Kind, State

# Two environments may start at once, and CREATE ... IF NOT EXISTS alone does not stop them from colliding.
TABLES: Final = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('export_service'));
    CREATE TABLE IF NOT EXISTS jobs (
        id uuid PRIMARY KEY,
        user_id text NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        step integer NOT NULL DEFAULT 0,
        attempts integer NOT NULL DEFAULT 0,
        request jsonb NOT NULL,
        files jsonb NOT NULL,
        result jsonb NOT NULL DEFAULT '{}',
        error jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
    );
    CREATE INDEX IF NOT EXISTS jobs_newest ON jobs (user_id, kind, created_at DESC);
    CREATE OR REPLACE FUNCTION is_stale(job jobs) RETURNS boolean LANGUAGE sql STABLE
    RETURN job.state NOT IN ('done', 'failed') AND job.updated_at < now() - CASE
        -- The server says nothing while it loads, and a load that embeds what it stores takes minutes.
        WHEN job.state = 'storing' THEN interval '15 minutes'
        -- A step ends within 30 s, and its retries begin within seconds.
        ELSE interval '90 seconds'
    END;
    CREATE TABLE IF NOT EXISTS uploads (
        id uuid PRIMARY KEY,
        user_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE IF NOT EXISTS upload_chunks (
        upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
        number integer NOT NULL,
        bytes integer NOT NULL,
        PRIMARY KEY (upload_id, number)
    );
END $$
"""

_ADD: Final = """
INSERT INTO jobs (id, user_id, kind, state, request, files, expires_at)
SELECT %s::uuid, %s::text, %s::text, %s::text, %s::jsonb, %s::jsonb, now() + make_interval(days => %s::integer)
WHERE (SELECT count(*) FROM jobs WHERE user_id = %s AND state NOT IN ('done', 'failed')) < %s::integer
RETURNING *
"""
_GET: Final = "SELECT * FROM jobs WHERE user_id = %s AND id = %s::uuid"
_LIST: Final = "SELECT * FROM jobs WHERE user_id = %s AND kind = %s ORDER BY created_at DESC, id LIMIT 100"
# It moves from the step that it is at alone: of two deliveries of one message, one moves it.
_MOVE: Final = """
UPDATE jobs SET state = %s, step = %s, attempts = 0, files = files || %s::jsonb, result = result || %s::jsonb,
    error = NULL, updated_at = now()
WHERE user_id = %s AND id = %s::uuid AND state = %s AND step = %s
RETURNING *
"""
_FAIL: Final = """
UPDATE jobs SET state = 'failed', error = %s::jsonb, updated_at = now()
WHERE user_id = %s AND id = %s::uuid AND state NOT IN ('done', 'failed')
"""
_BEGIN: Final = """
UPDATE jobs SET attempts = attempts + 1, updated_at = now()
WHERE user_id = %s AND id = %s::uuid AND state = %s AND step = %s
RETURNING *
"""
_STALE: Final = """
UPDATE jobs SET updated_at = now() WHERE user_id = %s AND is_stale(jobs) RETURNING *
"""
# What has been over for a day is of a user who has no memories, whom nothing wakes: it would wake the others for ever.
_ANY_TO_LOOK_AFTER: Final = """
SELECT 1 AS found FROM jobs
WHERE is_stale(jobs) OR expires_at BETWEEN now() - interval '1 day' AND now()
LIMIT 1
"""
_REMOVE: Final = "DELETE FROM jobs WHERE user_id = %s AND id = %s::uuid RETURNING *"
_EXPIRED: Final = "SELECT * FROM jobs WHERE user_id = %s AND expires_at < now() ORDER BY expires_at LIMIT 100"
_FORGET_UPLOADS: Final = "DELETE FROM uploads WHERE created_at < now() - interval '1 day'"
_ADD_UPLOAD: Final = "INSERT INTO uploads (id, user_id) VALUES (%s::uuid, %s)"
_ADD_CHUNK: Final = """
INSERT INTO upload_chunks (upload_id, number, bytes)
SELECT id, %s::integer, %s::integer FROM uploads WHERE id = %s::uuid AND user_id = %s
ON CONFLICT (upload_id, number) DO UPDATE SET bytes = excluded.bytes
"""
_CHUNKS: Final = """
SELECT array_agg(number ORDER BY number) FILTER (WHERE number IS NOT NULL) AS numbers, sum(bytes) AS bytes
FROM uploads LEFT JOIN upload_chunks ON upload_id = id
WHERE id = %s::uuid AND user_id = %s AND created_at > now() - interval '12 hours'
GROUP BY id
"""


class Store:
    """What the plugin keeps for ``user_id``; nothing of anybody else's is seen or changed."""

    def __init__(self, database: DatabaseService, user_id: str) -> None:
        self._database = database
        self._user_id = user_id

    async def add(
        self, job_id: str, kind: Kind, state: State, request: JsonObject, files: JsonObject, *, days: int, most: int
    ) -> Job | None:
        """Return the new job, which is kept for ``days``; None where ``most`` of the user's jobs are running."""
        parameters = [job_id, self._user_id, kind, state, request, files, days, self._user_id, most]
        return _first(await self._database.execute(_ADD, parameters))

    async def get(self, job_id: str) -> Job | None:
        return _first(await self._database.query(_GET, [self._user_id, job_id]))

    async def newest(self, kind: Kind) -> list[Job]:
        """Return at most 100 jobs, newest first."""
        return [Job.from_row(row) for row in await self._database.query(_LIST, [self._user_id, kind])]

    async def begin(self, job_id: str, state: str, step: int) -> Job | None:
        """Count one more attempt at a step and return the job; None where it is elsewhere by now."""
        return _first(await self._database.execute(_BEGIN, [self._user_id, job_id, state, step]))

    async def move(self, job: Job, change: Change) -> Job | None:
        """Return the job as it is after ``change``; None where it is not any more as ``job`` is."""
        new = [change.state, change.step, change.files, change.result]
        return _first(await self._database.execute(_MOVE, [*new, self._user_id, job.id, job.state, job.step]))

    async def fail(self, job_id: str, error: JsonObject) -> None:
        await self._database.execute(_FAIL, [error, self._user_id, job_id])

    async def take_stale(self) -> list[Job]:
        """Return the jobs that do not move; for a while nobody else is given them."""
        return [Job.from_row(row) for row in await self._database.execute(_STALE, [self._user_id])]

    async def expired(self) -> list[Job]:
        """Return jobs whose time is over; at most 100."""
        return [Job.from_row(row) for row in await self._database.query(_EXPIRED, [self._user_id])]

    async def remove(self, job_id: str) -> Job | None:
        """Forget the job and return what it was."""
        return _first(await self._database.execute(_REMOVE, [self._user_id, job_id]))

    async def add_upload(self, upload_id: str) -> None:
        await self._database.execute(_ADD_UPLOAD, [upload_id, self._user_id])

    async def add_chunk(self, upload_id: str, number: int, size: int) -> None:
        await self._database.execute(_ADD_CHUNK, [number, size, upload_id, self._user_id])

    async def chunks(self, upload_id: str) -> tuple[list[int], int] | None:
        """Return the numbers of the chunks that have come and their bytes; None where there is no such upload."""
        rows = await self._database.query(_CHUNKS, [upload_id, self._user_id])
        if not rows:
            return None
        return list(cast("Sequence[int]", rows[0]["numbers"] or [])), int(cast(int, rows[0]["bytes"] or 0))


async def any_to_look_after(database: DatabaseService) -> bool:
    """Return whether a job of whomever does not move, or has expired."""
    return bool(await database.query(_ANY_TO_LOOK_AFTER))


async def forget_uploads(database: DatabaseService) -> None:
    """Forget uploads whose files are gone by now."""
    await database.execute(_FORGET_UPLOADS)


def _first(rows: Sequence[JsonObject]) -> Job | None:
    return Job.from_row(rows[0]) if rows else None
