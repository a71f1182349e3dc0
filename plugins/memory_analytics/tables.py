"""The plugin's tables, and the one statement by which each event enters them."""

from __future__ import annotations

from typing import Final

# Two environments may start at once, and CREATE ... IF NOT EXISTS alone does not stop them from colliding.
# daily_counts and counted_events are those of version 0.1, which kept no more than counts of events.
CREATE: Final = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('memory_analytics'));
    CREATE TABLE IF NOT EXISTS operations (
        event_id uuid PRIMARY KEY,
        user_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        hook text NOT NULL,
        project text,
        duration_ms double precision,
        lag_ms double precision NOT NULL,
        deleted_id text,
        query_hash text,
        query_text text,
        results integer
    );
    CREATE INDEX IF NOT EXISTS operations_time ON operations (user_id, occurred_at);
    CREATE INDEX IF NOT EXISTS operations_age ON operations USING brin (occurred_at);
    CREATE INDEX IF NOT EXISTS operations_deleted ON operations (user_id, deleted_id) WHERE deleted_id IS NOT NULL;
    CREATE TABLE IF NOT EXISTS recalled (
        user_id text NOT NULL,
        memory_id text NOT NULL,
        project text,
        expires_at timestamptz,
        version integer NOT NULL,
        found bigint NOT NULL,
        read bigint NOT NULL,
        last_at timestamptz NOT NULL,
        checked_at timestamptz NOT NULL DEFAULT '-infinity',
        PRIMARY KEY (user_id, memory_id)
    );
    CREATE TABLE IF NOT EXISTS query_key (single boolean PRIMARY KEY DEFAULT true CHECK (single), key bytea NOT NULL);
    INSERT INTO query_key (key)
        VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))) ON CONFLICT DO NOTHING;
    CREATE TABLE IF NOT EXISTS pauses (single boolean PRIMARY KEY DEFAULT true CHECK (single));
    DROP TABLE IF EXISTS daily_counts, counted_events;
END $$
"""

# Parameters: the operation, the text of its query, the days of retention. An event that comes again is not noted again,
# nor is one that retention would have pruned by now: whether that came before is forgotten.
_NOTED: Final = """
WITH noted AS (
    INSERT INTO operations
    SELECT operation.* FROM jsonb_populate_record(
        NULL::operations,
        %s::jsonb || jsonb_build_object(
            'query_hash', (SELECT encode(sha256(key || convert_to(%s::text, 'UTF8')), 'hex') FROM query_key)
        )
    ) AS operation
    WHERE operation.occurred_at > now() - make_interval(days => %s::integer)
    ON CONFLICT DO NOTHING
    RETURNING user_id, occurred_at
)
"""

NOTE: Final = f"{_NOTED} SELECT FROM noted"

# Parameters: those of noting, then how often each memory was found and read by the event, and {"memories": [...]}.
# In the order of their ids, so that two searches never wait for each other. Events come in no order: a memory that was
# deleted after this event stays away, and the later version of a memory tells its project.
RECALL: Final = f"""
{_NOTED}
INSERT INTO recalled AS known
    (user_id, memory_id, project, expires_at, version, found, read, last_at)
SELECT noted.user_id, memory.id, memory.project, memory.expires_at, memory.version,
    %s::integer, %s::integer, noted.occurred_at
FROM noted, jsonb_to_recordset(%s::jsonb -> 'memories') AS memory
    (id text, project text, expires_at timestamptz, version integer)
WHERE NOT EXISTS (
    SELECT FROM operations AS deletion
    WHERE deletion.user_id = noted.user_id AND deletion.deleted_id = memory.id
        AND deletion.occurred_at >= noted.occurred_at
)
ORDER BY memory.id
ON CONFLICT (user_id, memory_id) DO UPDATE SET
    found = known.found + excluded.found,
    read = known.read + excluded.read,
    last_at = greatest(known.last_at, excluded.last_at),
    project = CASE WHEN excluded.version >= known.version THEN excluded.project ELSE known.project END,
    expires_at = CASE WHEN excluded.version >= known.version THEN excluded.expires_at ELSE known.expires_at END,
    version = greatest(known.version, excluded.version)
"""  # noqa: S608  # only text of our own is put in

# Parameters: those of noting, then project, expires_at, version and id of the memory as it is now.
CHANGE: Final = f"""
{_NOTED}
UPDATE recalled SET project = %s, expires_at = %s::timestamptz, version = %s::integer
FROM noted
WHERE recalled.user_id = noted.user_id AND recalled.memory_id = %s AND recalled.version < %s::integer
"""  # noqa: S608  # only text of our own is put in

# Parameters: those of noting, then the id.
FORGET: Final = f"""
{_NOTED}
DELETE FROM recalled USING noted
WHERE recalled.user_id = noted.user_id AND recalled.memory_id = %s AND recalled.last_at <= noted.occurred_at
"""  # noqa: S608  # only text of our own is put in

# A statement may take 5 s: what may be much is done in parts.
PART: Final = 20_000
PRUNE: Final = f"""
WITH old AS (
    DELETE FROM operations WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM operations WHERE occurred_at <= now() - make_interval(days => %s::integer) LIMIT {PART}
    )) RETURNING 1
)
SELECT count(*) AS done FROM old
"""  # noqa: S608  # only text of our own is put in

FORGET_TEXTS: Final = f"""
WITH kept AS (
    UPDATE operations SET query_text = NULL WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM operations WHERE query_text IS NOT NULL LIMIT {PART}
    )) RETURNING 1
)
SELECT count(*) AS done FROM kept
"""  # noqa: S608  # only text of our own is put in

FORGET_EXPIRED: Final = "DELETE FROM recalled WHERE expires_at <= now()"

BEGIN_PAUSE: Final = "INSERT INTO pauses DEFAULT VALUES ON CONFLICT DO NOTHING"
GET_PAUSE: Final = "SELECT FROM pauses"
END_PAUSE: Final = "DELETE FROM pauses"
