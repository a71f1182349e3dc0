SELECT
    coalesce(sum(memories), 0)::bigint AS memories, coalesce(sum(bytes), 0)::bigint AS bytes,
    coalesce(sum(history_bytes), 0)::bigint AS history_bytes
FROM usage
