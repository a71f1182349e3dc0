-- One that was stored again counts each time that it was deleted; one that has expired is deleted.
WITH counted AS (
    SELECT replaced_at AS counted_at, project, memory_type, session_id FROM memory_versions WHERE replaced_by = 'delete'
    UNION ALL
    SELECT expires_at, project, memory_type, session_id FROM memories WHERE expires_at <= now()
)
