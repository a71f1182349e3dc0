-- Rows go in by the order of their hashes, so that two batches with the same contents cannot lock each other out.
INSERT INTO memories (
    id, user_id, content, content_sha256, project, session_id, memory_type, tags, importance, metadata, expires_at,
    deduplicate, embedding, embedding_model
)
SELECT
    new_id, %(user_id)s, text, hash, in_project, in_session, type,
    ARRAY(SELECT jsonb_array_elements_text(tag_list::jsonb)), weight, object::jsonb, expiry, is_single,
    vector, %(model_id)s
FROM unnest(
    %(ids)s::uuid[], %(contents)s::text[], %(hashes)s::bytea[], %(projects)s::text[], %(sessions)s::text[],
    %(types)s::text[], %(tags)s::text[], %(importances)s::double precision[], %(metadata)s::text[],
    %(expiries)s::timestamptz[], %(single)s::boolean[], %(vectors)s::halfvec[]
) AS draft (
    new_id, text, hash, in_project, in_session, type, tag_list, weight, object, expiry, is_single, vector
)
ORDER BY hash, new_id
ON CONFLICT DO NOTHING
RETURNING {memory}, memory_bytes(content, tags, metadata) AS bytes
