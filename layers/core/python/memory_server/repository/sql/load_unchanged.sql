UPDATE plan SET action = 'unchanged' FROM staged, memories
WHERE plan.action = 'update' AND staged.place = plan.place AND memories.id = plan.target
    AND memories.content = staged.content
    AND memories.project IS NOT DISTINCT FROM staged.project
    AND (NOT staged.session_given OR memories.session_id IS NOT DISTINCT FROM staged.session_id)
    AND memories.memory_type = coalesce(staged.memory_type, memories.memory_type)
    AND memories.tags = coalesce(staged.tags, memories.tags)
    AND memories.importance = coalesce(staged.importance, memories.importance)
    AND memories.metadata = coalesce(staged.metadata, memories.metadata)
    AND memories.created_at = coalesce(staged.created_at, memories.created_at)
    AND (NOT staged.expiry_given OR memories.expires_at IS NOT DISTINCT FROM staged.expires_at)
