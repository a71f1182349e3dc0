UPDATE memories SET
    content = %(content)s,
    content_sha256 = %(content_sha256)s,
    project = %(project)s,
    session_id = %(session_id)s,
    memory_type = %(memory_type)s,
    tags = %(tags)s,
    importance = %(importance)s,
    metadata = %(metadata)s,
    expires_at = %(expires_at)s,
    embedding = coalesce(%(vector)s::halfvec, embedding),
    embedding_model = coalesce(%(model_id)s, embedding_model),
    version = version + 1,
    updated_at = greatest(now(), updated_at)
WHERE id = %(id)s
RETURNING
    {memory},
    memory_bytes(content, tags, metadata) - memory_bytes(old.content, old.tags, old.metadata) AS growth
