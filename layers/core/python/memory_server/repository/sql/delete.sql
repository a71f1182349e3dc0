WITH gone AS (
    DELETE FROM memories WHERE id IN (
        SELECT id FROM memories
        WHERE (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s)) AND matches(memories, %(filter)s)
        ORDER BY id
        FOR UPDATE
    )
    RETURNING {memory}
)
INSERT INTO memory_versions ({memory}, replaced_by) SELECT {memory}, 'delete' FROM gone ORDER BY id
RETURNING id, project, session_id
