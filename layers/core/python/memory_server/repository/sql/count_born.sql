-- Every memory that ever was, once: as it is, or as it was at last.
WITH counted AS (
    SELECT created_at AS counted_at, project, memory_type, session_id FROM memories
    UNION ALL
    SELECT created_at, project, memory_type, session_id
    FROM (SELECT DISTINCT ON (id) * FROM memory_versions ORDER BY id, version DESC) AS last
    WHERE NOT EXISTS (SELECT FROM memories WHERE memories.id = last.id)
)
