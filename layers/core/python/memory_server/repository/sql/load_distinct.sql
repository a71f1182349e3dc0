-- What a memory that stays has already, or a line before has, is stored beside it on purpose.
UPDATE plan SET deduplicate = false
WHERE action IN ('create', 'update') AND deduplicate AND (
    twin OR EXISTS (
        SELECT FROM memories
        WHERE memories.content_sha256 = plan.content_sha256
            AND coalesce(memories.project, '') = coalesce(plan.project, '')
            AND memories.id <> plan.new_id
    )
)
