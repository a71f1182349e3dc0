WITH counted AS (
    SELECT created_at AS counted_at, project, memory_type, session_id FROM memories WHERE matches(memories, '{{}}')
)
