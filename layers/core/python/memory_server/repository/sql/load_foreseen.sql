-- What the user would have, were the plan stored and all that has expired gone; and how much of it the load would add.
WITH planned AS (
    SELECT 1 AS added, memory_bytes(content, coalesce(tags, '{{}}'), coalesce(metadata, '{{}}')) AS bytes,
        0 AS bytes_before, expires_at
    FROM plan JOIN staged USING (place)
    WHERE plan.action = 'create'
    UNION ALL
    SELECT 0, memory_bytes(
            staged.content, coalesce(staged.tags, memories.tags), coalesce(staged.metadata, memories.metadata)
        ),
        memory_bytes(memories.content, memories.tags, memories.metadata),
        CASE WHEN staged.expiry_given THEN staged.expires_at ELSE memories.expires_at END
    FROM plan JOIN staged USING (place) JOIN memories ON memories.id = plan.target
    WHERE plan.action = 'update'
), growth AS (
    SELECT coalesce(sum(added), 0) AS memories, coalesce(sum(bytes - bytes_before), 0) AS bytes FROM planned
), expired AS (
    SELECT count(*) AS memories, coalesce(sum(bytes), 0) AS bytes
    FROM (
        SELECT bytes FROM planned WHERE expires_at <= now()
        UNION ALL
        SELECT memory_bytes(content, tags, metadata) FROM memories WHERE expires_at <= now()
    ) AS gone
), there AS (
    SELECT coalesce(sum(memories), 0) AS memories, coalesce(sum(bytes), 0) AS bytes,
        coalesce(sum(history_bytes), 0) AS history_bytes
    FROM usage
)
SELECT
    (there.memories + growth.memories - expired.memories)::bigint AS memories,
    (there.bytes + growth.bytes - expired.bytes)::bigint AS bytes,
    there.history_bytes::bigint AS history_bytes,
    growth.memories::bigint AS added_memories, growth.bytes::bigint AS added_bytes
FROM there, growth, expired
