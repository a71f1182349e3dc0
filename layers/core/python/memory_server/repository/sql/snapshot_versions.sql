-- The former states of what fits the filter: of living memories, and of those that fitted as they were at last.
COPY (
    WITH fitting AS (
        SELECT id FROM memories WHERE matches(memories, {filter})
        UNION ALL
        SELECT id FROM memories
        WHERE expires_at <= now() AND matches(jsonb_populate_record(memories, '{{"expires_at": null}}'), {filter})
        UNION ALL
        SELECT id FROM (SELECT DISTINCT ON (id) * FROM memory_versions ORDER BY id, version DESC) AS last
        WHERE NOT EXISTS (SELECT FROM memories WHERE memories.id = last.id)
            AND matches(jsonb_populate_record(NULL::memories, to_jsonb(last) - 'expires_at'), {filter})
    )
    SELECT row_to_json(line) FROM (
        SELECT {memory}, replaced_at, replaced_by FROM memory_versions WHERE id IN (SELECT id FROM fitting)
        UNION ALL
        SELECT {memory}, expires_at, 'delete' FROM memories
        WHERE expires_at <= now() AND id IN (SELECT id FROM fitting)
    ) AS line
) TO STDOUT (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
