SELECT count(DISTINCT (staged.id, staged.version)) AS number
FROM staged LEFT JOIN plan ON plan.id = staged.id
WHERE staged.replaced_by IS NOT NULL AND (plan.action IS DISTINCT FROM 'skip' OR plan.target = staged.id)
    AND NOT EXISTS (
        SELECT FROM memories
        WHERE memories.id = coalesce(plan.new_id, staged.id) AND memories.version <= staged.version
    )
    AND NOT EXISTS (
        SELECT FROM memory_versions
        WHERE memory_versions.id = coalesce(plan.new_id, staged.id) AND memory_versions.version = staged.version
    )
