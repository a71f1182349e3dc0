-- The history of what was stored goes with it; that of a deleted memory is its own. None reaches a living version.
INSERT INTO memory_versions ({memory}, replaced_at, replaced_by)
SELECT
    owner_id, %(user_id)s, content, project, session_id, memory_type, tags, importance, metadata, version,
    created_at, updated_at, expires_at, replaced_at, replaced_by
FROM (
    SELECT
        coalesce(plan.new_id, staged.id) AS owner_id, staged.content, staged.project, staged.session_id,
        coalesce(staged.memory_type, 'knowledge') AS memory_type, coalesce(staged.tags, '{{}}') AS tags,
        coalesce(staged.importance, 0.5) AS importance, coalesce(staged.metadata, '{{}}') AS metadata, staged.version,
        coalesce(staged.created_at, now()) AS created_at,
        coalesce(staged.updated_at, staged.created_at, now()) AS updated_at, staged.expires_at,
        coalesce(staged.replaced_at, now()) AS replaced_at, staged.replaced_by
    FROM staged LEFT JOIN plan ON plan.id = staged.id
    WHERE staged.replaced_by IS NOT NULL AND (plan.action IS DISTINCT FROM 'skip' OR plan.target = staged.id)
) AS past
WHERE NOT EXISTS (
    SELECT FROM memories WHERE memories.id = past.owner_id AND memories.version <= past.version
)
ON CONFLICT DO NOTHING
