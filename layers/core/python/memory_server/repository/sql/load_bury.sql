-- Expired memories make room for the same id and for the same content; they go where deleted ones go.
WITH gone AS (
    DELETE FROM memories WHERE expires_at <= now() AND (
        id IN (SELECT staged.id FROM staged WHERE replaced_by IS NULL)
        OR EXISTS (
            SELECT FROM staged
            WHERE staged.content_sha256 = memories.content_sha256
                AND coalesce(staged.project, '') = coalesce(memories.project, '')
        )
    )
    RETURNING {memory}
)
INSERT INTO memory_versions ({memory}, replaced_at, replaced_by) SELECT {memory}, expires_at, 'delete' FROM gone
