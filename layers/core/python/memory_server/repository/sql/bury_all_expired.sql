-- Expired memories that nobody has at hand go where deleted ones go.
WITH gone AS (
    DELETE FROM memories WHERE id IN (
        SELECT id FROM memories WHERE expires_at <= now() ORDER BY id FOR UPDATE SKIP LOCKED
    )
    RETURNING {memory}
)
INSERT INTO memory_versions ({memory}, replaced_at, replaced_by) SELECT {memory}, expires_at, 'delete' FROM gone
