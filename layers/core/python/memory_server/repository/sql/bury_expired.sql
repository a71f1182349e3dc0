-- Expired memories make room for the same content; they go where deleted ones go.
WITH gone AS (
    DELETE FROM memories WHERE id IN (
        SELECT id FROM unnest(%(hashes)s::bytea[], %(projects)s::text[]) AS wanted (hash, in_project)
        JOIN memories ON content_sha256 = wanted.hash AND coalesce(project, '') = coalesce(wanted.in_project, '')
        WHERE expires_at <= now()
        ORDER BY id
        FOR UPDATE OF memories
    )
    RETURNING {memory}
)
INSERT INTO memory_versions ({memory}, replaced_at, replaced_by) SELECT {memory}, expires_at, 'delete' FROM gone
