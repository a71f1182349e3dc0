UPDATE memories SET
    content = staged.content,
    content_sha256 = staged.content_sha256,
    project = staged.project,
    session_id = CASE WHEN staged.session_given THEN staged.session_id ELSE memories.session_id END,
    memory_type = coalesce(staged.memory_type, memories.memory_type),
    tags = coalesce(staged.tags, memories.tags),
    importance = coalesce(staged.importance, memories.importance),
    metadata = coalesce(staged.metadata, memories.metadata),
    created_at = coalesce(staged.created_at, memories.created_at),
    expires_at = CASE WHEN staged.expiry_given THEN staged.expires_at ELSE memories.expires_at END,
    deduplicate = plan.deduplicate AND coalesce(staged.deduplicate, memories.deduplicate),
    embedding = coalesce(staged.embedding, memories.embedding),
    embedding_model = CASE WHEN staged.embedding IS NULL THEN memories.embedding_model ELSE staged.embedding_model END,
    version = memories.version + 1,
    updated_at = greatest(now(), memories.updated_at)
FROM plan JOIN staged ON staged.place = plan.place
WHERE plan.action = 'update' AND memories.id = plan.target
