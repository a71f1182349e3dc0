-- One whose id has a history that goes on beyond the given version comes after that history.
INSERT INTO memories (
    id, user_id, content, content_sha256, project, session_id, memory_type, tags, importance, metadata, created_at,
    updated_at, expires_at, version, deduplicate, embedding, embedding_model
)
SELECT
    plan.new_id, %(user_id)s, staged.content, staged.content_sha256, staged.project, staged.session_id,
    coalesce(staged.memory_type, 'knowledge'), coalesce(staged.tags, '{{}}'), coalesce(staged.importance, 0.5),
    coalesce(staged.metadata, '{{}}'), coalesce(staged.created_at, now()),
    coalesce(staged.updated_at, staged.created_at, now()), staged.expires_at,
    greatest(coalesce(staged.version, 1), (
        SELECT max(past.version) + 1 FROM memory_versions AS past WHERE past.id = plan.new_id
    )),
    plan.deduplicate, staged.embedding, staged.embedding_model
FROM plan JOIN staged ON staged.place = plan.place
WHERE plan.action = 'create'
